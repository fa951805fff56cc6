#include "daemon/bridge/dispatch/response_store.hpp"

#include <algorithm>

namespace viaduct::daemon::bridge {

namespace {

std::size_t room(std::uint64_t limit, std::uint64_t used, std::size_t bytes) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(limit - std::min(limit, used), bytes));
}

}  // namespace

Placing place(std::size_t bytes, const config::ResponseBuffers& limits, const Stored& stored) {
  Placing placing;
  if (!stored.over_waits) {
    if (!stored.file_waits) placing.memory = room(limits.memory, stored.in_memory, bytes);
    placing.file = room(limits.file, stored.in_file, bytes - placing.memory);
  }
  placing.over = bytes - placing.memory - placing.file;
  return placing;
}

void ResponseStore::reset(const config::ResponseBuffers& limits) {
  limits_ = limits;
  memory_.release();
  read_ = 0;
  file_.close();
  over_.release();
  full_ = false;
}

bool ResponseStore::empty() const {
  return in_memory() == 0 && file_.unread() == 0 && over_.empty();
}

std::error_code ResponseStore::append(Spool& spool, protocol::Bytes bytes) {
  const Placing placing = place(bytes.size(), limits_,
                                {.in_memory = in_memory(),
                                 .in_file = file_.size(),
                                 .file_waits = file_.unread() > 0,
                                 .over_waits = !over_.empty()});
  memory_.append(bytes.first(placing.memory));
  protocol::Bytes rest = bytes.subspan(placing.memory);
  std::error_code error;
  if (placing.file > 0) {
    error = write(spool, rest.first(placing.file));
    if (!error) rest = rest.subspan(placing.file);
  }
  over_.append(rest);
  full_ = full_ || !rest.empty();
  return error;
}

std::error_code ResponseStore::write(Spool& spool, protocol::Bytes bytes) {
  if (!file_.is_open()) {
    if (const auto error = file_.open(spool)) return error;
  }
  const std::error_code error = file_.append(bytes);
  if (error && file_.unread() == 0) file_.close();
  return error;
}

protocol::Bytes ResponseStore::peek(std::size_t max, std::error_code& error) {
  if (in_memory() == 0 && file_.unread() > 0) return file_.peek(max, error);
  if (in_memory() == 0) {
    drop_memory(0);
    memory_.swap(over_);
  }
  return memory_.view(read_, read_ + std::min(max, in_memory()));
}

void ResponseStore::consume(std::size_t bytes) {
  if (in_memory() > 0) {
    drop_memory(bytes);
  } else {
    file_.consume(bytes);
    // Until the client takes the next piece, which may be a long time.
    file_.drop_window();
    if (file_.unread() == 0) file_.close();
  }
  if (empty()) full_ = false;
}

void ResponseStore::drop_memory(std::size_t bytes) {
  read_ += bytes;
  if (read_ == memory_.size()) {
    memory_.release();
    read_ = 0;
  } else if (read_ > memory_.size() / 2) {
    memory_.drop_front(read_);
    read_ = 0;
  }
}

void ResponseStore::spill(Spool& spool) {
  if (!spillable()) return;
  if (write(spool, memory_.view(read_, memory_.size()))) return;
  memory_.release();
  read_ = 0;
}

}  // namespace viaduct::daemon::bridge
