#pragma once

#include <chrono>

namespace viaduct::daemon::master {

/// How often something may happen: a bucket that fills at a steady rate and from which every event
/// takes tokens. Pure: told the time.
class TokenBucket {
 public:
  using Clock = std::chrono::steady_clock;

  /// `per_second` and `most` are positive. It begins full.
  TokenBucket(double per_second, double most) : rate_(per_second), most_(most), tokens_(most) {}

  /// Whether it holds less than one token.
  [[nodiscard]] bool empty(Clock::time_point now) const { return tokens_at(now) < 1; }
  /// Takes tokens, perhaps more than there are: the next events wait for longer then.
  void spend(double tokens, Clock::time_point now);
  /// How long it stays empty; 0: it is not.
  [[nodiscard]] Clock::duration wait(Clock::time_point now) const;

 private:
  [[nodiscard]] double tokens_at(Clock::time_point now) const;

  double rate_;
  double most_;
  double tokens_;
  Clock::time_point since_{};  // when it held `tokens_`
};

}  // namespace viaduct::daemon::master
