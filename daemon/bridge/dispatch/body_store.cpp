#include "daemon/bridge/dispatch/body_store.hpp"

#include <algorithm>
#include <cassert>

namespace viaduct::daemon::bridge {

namespace {

constexpr std::size_t kKeptWhenEmpty = 32 * 1024;
constexpr std::size_t kKeptMemory = 4096;
constexpr std::uint64_t kWorthClosing = 1024 * 1024;

}  // namespace

void BodyStore::reset(std::uint64_t keep) {
  keep_ = keep;
  total_ = 0;
  waiting_ = 0;
  boundary_ = UINT64_MAX;
  in_second_ = false;
  forgotten_ = false;
  lost_ = false;
  if (memory_.capacity() > kKeptMemory) memory_.release();
  memory_.clear();
  read_ = 0;
  file_.close();
}

void BodyStore::keep(std::uint64_t bytes) {
  keep_ = bytes;
  if (total_ > keep_) {
    forget();
  } else if (waiting_ == total_) {
    forgotten_ = lost_;
  }
}

std::error_code BodyStore::append(protocol::Bytes bytes) {
  if (!file_.is_open()) {
    memory_.append(bytes);
  } else if (const auto error = file_.append(bytes)) {
    return error;
  }
  total_ += bytes.size();
  waiting_ += bytes.size();
  if (total_ > keep_) forget();
  return {};
}

void BodyStore::bypass(std::uint64_t bytes) {
  assert(waiting_ == 0);
  if (bytes == 0) return;
  forget();
  total_ += bytes;
  lost_ = true;
}

std::uint64_t BodyStore::readable() const {
  return in_second_ ? waiting_ : std::min(waiting_, boundary_ - (total_ - waiting_));
}

protocol::Bytes BodyStore::peek(std::size_t max, std::error_code& error) {
  max = static_cast<std::size_t>(std::min<std::uint64_t>(max, readable()));
  if (read_ < memory_.size()) {
    return memory_.view(read_, std::min(read_ + max, memory_.size()));
  }
  return file_.peek(max, error);
}

void BodyStore::consume(std::size_t bytes) {
  assert(bytes <= waiting_);
  waiting_ -= bytes;
  const std::size_t from_memory = std::min(bytes, memory_.size() - read_);
  read_ += from_memory;
  file_.consume(bytes - from_memory);
  if (forgotten_) {
    lost_ = lost_ || bytes > 0;
    trim();
    // A long body that streams takes no more room than what waits.
    if (file_.unread() == 0 && file_.size() >= kWorthClosing) file_.close();
  }
}

void BodyStore::rewind() {
  assert(rewindable());
  read_ = 0;
  file_.rewind();
  waiting_ = total_;
  in_second_ = false;
}

void BodyStore::forget() {
  if (forgotten_) return;
  forgotten_ = true;
  lost_ = waiting_ != total_;
  trim();
}

void BodyStore::trim() {
  if (read_ == memory_.size()) {
    if (memory_.capacity() > kKeptWhenEmpty) memory_.release();
    memory_.clear();
    read_ = 0;
  } else if (read_ > memory_.size() / 2) {
    memory_.drop_front(read_);
    read_ = 0;
  }
}

std::error_code BodyStore::spool(Spool& spool) {
  if (file_.is_open()) return {};
  if (const auto error = file_.open(spool)) return error;
  if (memory_.empty() || waiting_ != total_) return {};
  if (const auto error = file_.append(memory_.view(0, memory_.size()))) {
    file_.close();
    return error;
  }
  memory_.release();
  return {};
}

}  // namespace viaduct::daemon::bridge
