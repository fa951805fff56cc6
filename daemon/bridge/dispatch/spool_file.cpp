#include "daemon/bridge/dispatch/spool_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace viaduct::daemon::bridge {

namespace {

std::error_code last_error() {
  return {errno, std::generic_category()};
}

}  // namespace

std::error_code SpoolFile::open(Spool& spool) {
  std::error_code error;
  file_ = spool.open(error);
  spool_ = &spool;
  return error;
}

void SpoolFile::close() {
  if (file_ < 0) return;
  ::close(std::exchange(file_, -1));
  spool_->give_back(std::exchange(size_, 0));
  read_ = 0;
  protocol::give_back(window_);
}

std::error_code SpoolFile::append(protocol::Bytes bytes) {
  if (!spool_->take(bytes.size(), use_)) return std::make_error_code(kFull);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count =
        ::pwrite(file_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(size_ + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const std::error_code error =
          count < 0 ? last_error() : std::make_error_code(std::errc::io_error);
      spool_->give_back(bytes.size());
      return error;
    }
    done += static_cast<std::size_t>(count);
  }
  size_ += bytes.size();
  return {};
}

protocol::Bytes SpoolFile::peek(std::size_t max, std::error_code& error) {
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(std::min(max, kWindow), unread()));
  if (wanted == 0) return {};
  window_.resize(wanted);
  ssize_t count = 0;
  do {
    count = ::pread(file_, window_.data(), wanted, static_cast<off_t>(read_));
  } while (count < 0 && errno == EINTR);
  if (count <= 0) {
    error = count < 0 ? last_error() : std::make_error_code(std::errc::io_error);
    return {};
  }
  return protocol::Bytes(window_).first(static_cast<std::size_t>(count));
}

}  // namespace viaduct::daemon::bridge
