#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Decides, from looks at a loop taken by somebody else, when a handler that blocks it is to be
/// reported: once per blocked stretch that reaches the threshold, and not too often.
class StallDetector {
 public:
  using Clock = std::chrono::steady_clock;

  struct Report {
    std::chrono::milliseconds blocked;  ///< so far
    std::uint64_t unreported;           ///< stretches since the last report that got none
  };

  /// Reports are at least `interval` apart. A threshold of 0 means none at all.
  StallDetector(std::chrono::milliseconds threshold, std::chrono::milliseconds interval)
      : threshold_(threshold), interval_(interval) {}

  /// `progress` is a number that changes whenever the loop moves, `busy` whether it runs a handler.
  std::optional<Report> look(Clock::time_point now, std::uint64_t progress, bool busy) {
    if (threshold_ == std::chrono::milliseconds::zero()) return std::nullopt;
    if (!since_ || progress != progress_ || !busy) {
      since_ = now;
      progress_ = progress;
      seen_ = false;
      return std::nullopt;
    }
    if (seen_ || now - *since_ < threshold_) return std::nullopt;
    seen_ = true;
    if (reported_ && now - *reported_ < interval_) {
      ++unreported_;
      return std::nullopt;
    }
    reported_ = now;
    const Report report{std::chrono::duration_cast<std::chrono::milliseconds>(now - *since_),
                        unreported_};
    unreported_ = 0;
    return report;
  }

 private:
  const std::chrono::milliseconds threshold_;
  const std::chrono::milliseconds interval_;
  std::optional<Clock::time_point> since_;     // this progress was first seen
  std::optional<Clock::time_point> reported_;  // last
  std::uint64_t progress_ = 0;
  std::uint64_t unreported_ = 0;
  bool seen_ = false;  // this stretch has reached the threshold
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
