#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace viaduct::daemon::log {

/// Keeps a noisy peer from filling the log: at most `lines` per key and interval, and how many were
/// held back is told with the first line of the next interval. A pure object: the caller brings the
/// time. Not thread-safe; one per thread is fine.
class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  struct Decision {
    bool write = false;
    std::uint64_t suppressed = 0;  ///< lines of this key held back since the last written one
  };

  /// `keys` bounds the memory: beyond that many different keys within an interval, all new ones
  /// share a single allowance.
  RateLimit(std::uint32_t lines, Clock::duration interval, std::size_t keys);

  Decision admit(std::string_view key, Clock::time_point now);

 private:
  struct Window {
    Clock::time_point begin;
    std::uint32_t written = 0;
    std::uint64_t suppressed = 0;
  };

  Window& find(std::string_view key, Clock::time_point now);
  void forget_finished(Clock::time_point now);

  std::uint32_t lines_;
  Clock::duration interval_;
  std::size_t keys_;
  std::map<std::string, Window, std::less<>> windows_;
  Window overflow_;
};

}  // namespace viaduct::daemon::log
