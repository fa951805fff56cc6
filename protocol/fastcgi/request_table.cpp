#include "protocol/fastcgi/request_table.hpp"

#include <bit>
#include <utility>

namespace viaduct::protocol::fastcgi {

// Where `id` is; if it is nowhere, some other place. Behind a key that is nearer to its home there
// are only such as belong behind it.
std::size_t RequestTable::locate(RequestId id) const {
  const std::size_t mask = keys_.size() - 1;
  std::size_t at = home(id);
  for (std::size_t way = 0; keys_[at].id != id; at = (at + 1) & mask, ++way) {
    if (keys_[at].id == 0 || distance(at) < way) break;
  }
  return at;
}

// Whoever is farther from its home has the place, the other one moves on.
void RequestTable::place(Key key) {
  const std::size_t mask = keys_.size() - 1;
  std::size_t at = home(key.id);
  for (std::size_t way = 0; keys_[at].id != 0; at = (at + 1) & mask, ++way) {
    const std::size_t other = distance(at);
    if (other >= way) continue;
    std::swap(keys_[at], key);
    way = other;
  }
  keys_[at] = key;
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
  place(found_);
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
  // Close the gap, so that probing needs no tombstones. It ends at the first key that is at home.
  const std::size_t mask = keys_.size() - 1;
  for (std::size_t at = (hole + 1) & mask; keys_[at].id != 0 && distance(at) > 0;
       at = (at + 1) & mask) {
    keys_[hole] = keys_[at];
    hole = at;
  }
  keys_[hole] = {};
}

void RequestTable::grow() {
  std::vector<Key> old(keys_.empty() ? 4 : keys_.size() * 2);
  old.swap(keys_);
  shift_ = 65 - static_cast<unsigned>(std::bit_width(keys_.size()));
  for (const Key key : old) {
    if (key.id != 0) place(key);
  }
}

void RequestTable::clear() {
  *this = RequestTable();
}

}  // namespace viaduct::protocol::fastcgi
