#pragma once

#include <cstddef>
#include <cstdint>
#include <system_error>
#include <vector>

#include "daemon/bridge/dispatch/spool.hpp"
#include "protocol/memory.hpp"
#include "protocol/output.hpp"

namespace viaduct::daemon::bridge {

/// One unlinked temporary file of a spool: bytes go in at its end and are read from its beginning.
/// Its size counts towards limits.spool until close(). Reading and writing block the calling
/// thread; pieces are small. Not thread-safe.
class SpoolFile {
 public:
  /// `use`: what it is for.
  explicit SpoolFile(Spool::Use use) : use_(use) {}
  ~SpoolFile() { close(); }
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;

  /// Makes the file. Only when it is not open.
  std::error_code open(Spool& spool);
  [[nodiscard]] bool is_open() const { return file_ >= 0; }
  /// Gives its space back, and what was not read.
  void close();

  /// The spool is at its limit.
  static constexpr std::errc kFull = std::errc::resource_unavailable_try_again;
  /// Adds all of the bytes or, on an error, none.
  std::error_code append(protocol::Bytes bytes);

  /// The next bytes, at most `max` and kWindow; empty with `error` when they could not be read.
  /// Valid until the next call.
  protocol::Bytes peek(std::size_t max, std::error_code& error);
  /// Moves the position of reading on. At most unread().
  void consume(std::uint64_t bytes) { read_ += bytes; }
  void rewind() { read_ = 0; }
  /// Gives back the memory of what peek() gave last.
  void drop_window() { protocol::give_back(window_); }

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t unread() const { return size_ - read_; }
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const { return protocol::memory_of(window_); }

  static constexpr std::size_t kWindow = 32 * 1024;

 private:
  const Spool::Use use_;
  Spool* spool_ = nullptr;
  int file_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t read_ = 0;
  std::vector<std::byte> window_;  // what was read last
};

}  // namespace viaduct::daemon::bridge
