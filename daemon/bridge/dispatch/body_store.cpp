#include "daemon/bridge/dispatch/body_store.hpp"

#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

namespace viaduct::daemon::bridge {

namespace {

constexpr std::size_t kFileWindow = 32 * 1024;
constexpr std::size_t kKeptMemory = 4096;
constexpr std::uint64_t kWorthClosing = 1024 * 1024;

std::error_code last_error() {
  return {errno, std::generic_category()};
}

}  // namespace

BodyStore::~BodyStore() {
  close_file();
}

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
  close_file();
}

void BodyStore::close_file() {
  if (file_ < 0) return;
  ::close(std::exchange(file_, -1));
  spool_->give_back(std::exchange(file_size_, 0));
  file_read_ = 0;
  protocol::give_back(window_);
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
  if (file_ < 0) {
    memory_.append(bytes);
  } else if (const auto error = write(bytes)) {
    return error;
  }
  total_ += bytes.size();
  waiting_ += bytes.size();
  if (total_ > keep_) forget();
  return {};
}

std::error_code BodyStore::write(protocol::Bytes bytes) {
  if (!spool_->take(bytes.size())) return std::make_error_code(kFull);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count =
        ::pwrite(file_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(file_size_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      spool_->give_back(bytes.size() - done);
      return last_error();
    }
    file_size_ += static_cast<std::uint64_t>(count);
    done += static_cast<std::size_t>(count);
  }
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
  const std::size_t wanted = std::min(max, kFileWindow);
  if (wanted == 0) return {};
  window_.resize(wanted);
  ssize_t count = 0;
  do {
    count = ::pread(file_, window_.data(), wanted, static_cast<off_t>(file_read_));
  } while (count < 0 && errno == EINTR);
  if (count <= 0) {
    error = count < 0 ? last_error() : std::make_error_code(std::errc::io_error);
    return {};
  }
  return protocol::Bytes(window_).first(static_cast<std::size_t>(count));
}

void BodyStore::consume(std::size_t bytes) {
  assert(bytes <= waiting_);
  waiting_ -= bytes;
  const std::size_t from_memory = std::min(bytes, memory_.size() - read_);
  read_ += from_memory;
  file_read_ += bytes - from_memory;
  if (forgotten_) {
    lost_ = lost_ || bytes > 0;
    trim();
    // A long body that streams takes no more room than what waits.
    if (file_read_ == file_size_ && file_size_ >= kWorthClosing) close_file();
  }
}

void BodyStore::rewind() {
  assert(rewindable());
  read_ = 0;
  file_read_ = 0;
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
    if (memory_.capacity() > kFileWindow) memory_.release();
    memory_.clear();
    read_ = 0;
  } else if (read_ > memory_.size() / 2) {
    memory_.drop_front(read_);
    read_ = 0;
  }
}

std::error_code BodyStore::spool(Spool& spool) {
  if (file_ >= 0) return {};
  std::error_code error;
  file_ = spool.open(error);
  if (file_ < 0) return error;
  spool_ = &spool;
  if (memory_.empty() || waiting_ != total_) return {};
  error = write(memory_.view(0, memory_.size()));
  if (error) {
    close_file();
    return error;
  }
  memory_.release();
  memory_.clear();
  return {};
}

}  // namespace viaduct::daemon::bridge
