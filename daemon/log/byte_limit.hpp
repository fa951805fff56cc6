#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace viaduct::daemon::log {

/// Keeps one writer from filling a log: at most so many bytes an interval; how many were held back
/// is told with the first line after them. A pure object: the caller brings the time.
class ByteLimit {
 public:
  using Clock = std::chrono::steady_clock;

  struct Decision {
    bool write = false;
    std::uint64_t suppressed = 0;  ///< bytes held back since the last line that was written
  };

  ByteLimit(std::size_t bytes, Clock::duration interval) : bytes_(bytes), interval_(interval) {}

  /// Whether a line of `size` bytes is written. The first one of an interval always is.
  Decision admit(std::size_t size, Clock::time_point now) {
    if (now - begin_ >= interval_) {
      begin_ = now;
      written_ = 0;
    }
    if (written_ > 0 && size > bytes_ - written_) {
      suppressed_ += size;
      // Shorter ones must not get in between: what is missing is in one piece.
      written_ = bytes_;
      return {};
    }
    written_ += size < bytes_ - written_ ? size : bytes_ - written_;
    return {true, std::exchange(suppressed_, 0)};
  }

 private:
  std::size_t bytes_;
  Clock::duration interval_;
  Clock::time_point begin_{};
  std::size_t written_ = 0;
  std::uint64_t suppressed_ = 0;
};

}  // namespace viaduct::daemon::log
