#include "protocol/fastcgi/request_table.hpp"

#include <utility>

namespace viaduct::protocol::fastcgi {

// Where `id` is, or the free place where it belongs.
std::size_t RequestTable::locate(RequestId id) const {
  const Key* const keys = keys_.data();
  const std::size_t mask = keys_.size() - 1;
  std::size_t at = home(id);
  while (keys[at].id != 0 && keys[at].id != id) at = (at + 1) & mask;
  return at;
}

ActiveRequest* RequestTable::search(RequestId id) {
  if (size_ == 0 || id == 0) return nullptr;
  const Key key = keys_[locate(id)];
  if (key.id != id) return nullptr;
  found_ = key;
  return &requests_[key.slot];
}

ActiveRequest& RequestTable::insert(RequestId id) {
  if ((size_ + 1) * 2 > keys_.size()) grow();
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint16_t>(requests_.size()));
    requests_.emplace_back();
  }
  const std::uint16_t slot = free_.back();
  free_.pop_back();
  found_ = {id, slot};
  keys_[locate(id)] = found_;
  ++size_;
  return requests_[slot];
}

void RequestTable::erase(RequestId id) {
  if (size_ == 0) return;
  std::size_t hole = locate(id);
  if (keys_[hole].id != id) return;
  requests_[keys_[hole].slot] = ActiveRequest{};
  free_.push_back(keys_[hole].slot);
  --size_;
  if (found_.id == id) found_ = {};
  // Close the gap, so that probing needs no tombstones: a key moves down unless its home lies
  // (cyclically) behind the hole.
  const std::size_t mask = keys_.size() - 1;
  keys_[hole] = {};
  for (std::size_t at = (hole + 1) & mask; keys_[at].id != 0; at = (at + 1) & mask) {
    const std::size_t from_home = (at - home(keys_[at].id)) & mask;
    const std::size_t from_hole = (at - hole) & mask;
    if (from_home < from_hole) continue;
    keys_[hole] = std::exchange(keys_[at], {});
    hole = at;
  }
}

void RequestTable::grow() {
  std::vector<Key> old(keys_.empty() ? 4 : keys_.size() * 2);
  old.swap(keys_);
  for (const Key key : old) {
    if (key.id != 0) keys_[locate(key.id)] = key;
  }
}

void RequestTable::clear() {
  *this = RequestTable();
}

std::size_t RequestTable::memory() const {
  std::size_t sum = memory_of(keys_) + memory_of(requests_) + memory_of(free_);
  for (const ActiveRequest& request : requests_) {
    if (request.params) sum += request.params->memory();
  }
  return sum;
}

}  // namespace viaduct::protocol::fastcgi
