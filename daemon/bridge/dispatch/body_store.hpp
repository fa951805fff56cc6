#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include "daemon/bridge/dispatch/spool_file.hpp"
#include "protocol/buffer.hpp"
#include "protocol/output.hpp"

namespace viaduct::daemon::bridge {

/// The bytes of one request body between the front connection and the link: in memory, or, once
/// `spool` was called, in an unlinked temporary file. The first bytes can be kept for a second
/// worker. Not thread-safe.
class BodyStore {
 public:
  explicit BodyStore(std::uint64_t keep = 0) : keep_(keep) {}
  BodyStore(const BodyStore&) = delete;
  BodyStore& operator=(const BodyStore&) = delete;

  /// Empty, and ready for another body. `keep`: while that is no longer than this many bytes, what
  /// was passed on is kept too.
  void reset(std::uint64_t keep);

  /// The same from now on. More than before is kept only while nothing was passed on.
  void keep(std::uint64_t bytes);

  /// Fails only when spooling: the file could not be written, or the spool is at its limit (kFull).
  static constexpr std::errc kFull = SpoolFile::kFull;
  std::error_code append(protocol::Bytes bytes);

  /// Counts bytes that were passed on without having been stored. Only when nothing waits; the
  /// body cannot be rewound from then on.
  void bypass(std::uint64_t bytes);
  /// Whether a further `bytes` would be kept for a second worker.
  [[nodiscard]] bool keeps(std::uint64_t bytes) const {
    return !forgotten_ && total_ + bytes <= keep_;
  }

  /// What is appended from now on is a second stream (FCGI_DATA behind FCGI_STDIN): peek() gives
  /// none of it before begin_second().
  void split() { boundary_ = total_; }
  /// Whether the store was split and everything before that was passed on.
  [[nodiscard]] bool first_passed_on() const { return total_ - waiting_ == boundary_; }
  void begin_second() { in_second_ = true; }
  [[nodiscard]] bool in_second() const { return in_second_; }

  /// The next bytes to pass on, at most `max` and not necessarily all that wait; empty when none
  /// do, or when the file could not be read (`error`). Valid until the next call.
  protocol::Bytes peek(std::size_t max, std::error_code& error);
  void consume(std::size_t bytes);

  /// Bytes not passed on.
  [[nodiscard]] std::uint64_t waiting() const { return waiting_; }
  /// The same, and those that were passed on and are still in the file.
  [[nodiscard]] std::uint64_t held() const { return std::max(waiting_, file_.size()); }
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const { return memory_.capacity() + file_.memory(); }
  /// Bytes of the body so far.
  [[nodiscard]] std::uint64_t total() const { return total_; }
  /// Whether everything passed on so far is still here.
  [[nodiscard]] bool rewindable() const { return !lost_; }
  /// Begins again with the first byte. Only when rewindable().
  void rewind();
  /// Gives up what is kept for a second worker: the first one has begun to answer.
  void forget();

  /// Bytes that are appended from now on go into a file of the spool, which outlives this store's
  /// next reset(); so do those that have been appended, unless some were passed on already.
  std::error_code spool(Spool& spool);
  [[nodiscard]] bool spooling() const { return file_.is_open(); }

 private:
  void trim();
  /// Bytes of the present stream that were not passed on.
  [[nodiscard]] std::uint64_t readable() const;

  std::uint64_t keep_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t waiting_ = 0;
  std::uint64_t boundary_ = UINT64_MAX;  // where the second stream begins
  bool in_second_ = false;
  bool forgotten_ = false;  // nothing is kept any more
  bool lost_ = false;       // something passed on is gone
  protocol::Buffer memory_;
  std::size_t read_ = 0;  // position in memory_
  SpoolFile file_{Spool::Use::body};
};

}  // namespace viaduct::daemon::bridge
