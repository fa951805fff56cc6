#pragma once

#include <chrono>

#include "daemon/bridge/reactor.hpp"

namespace viaduct::daemon::bridge {

/// Decides whether a worker is given more requests than it handles at once, so that it finds the
/// next ones when it has answered these, instead of sleeping until they come.
///
/// A request that waits at a worker cannot be served by another one that becomes free. So this is
/// for workers that answer in less time than they would take to fall asleep and wake: requests
/// there have lately taken less than kBrief on average, and one ended within kRecent.
class Prefetch {
 public:
  static constexpr std::chrono::microseconds kBrief{500};
  static constexpr std::chrono::milliseconds kRecent{1};
  /// What one request counts at most, and what is assumed of a worker at first: some twenty brief
  /// requests lead from here to below kBrief.
  static constexpr std::chrono::milliseconds kLongest{2};

  /// A request was answered, `taken` after it was sent.
  void ended(Clock::duration taken, Clock::time_point now);

  [[nodiscard]] bool worthwhile(Clock::time_point now) const {
    return usual_ < kBrief && now - last_ <= kRecent;
  }

 private:
  Clock::duration usual_ = kLongest;
  Clock::time_point last_{};
};

}  // namespace viaduct::daemon::bridge
