#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/master/token_bucket.hpp"

namespace viaduct::daemon::master {

/// Workers that one bridge wants to be replaced. A bridge whose workers all hang asks for many at
/// once; one in other hands asks for ever. So kAtOnce are replaced at once, the others at
/// kPerSecond, in the order of the questions. Pure: told the time.
class Replacements {
 public:
  static constexpr double kAtOnce = 64;
  static constexpr double kPerSecond = 4;

  struct Wanted {
    std::uint64_t serial = 0;
    std::string reason;
  };

  /// Asking for one that waits already changes nothing. At most one waits per worker, so the caller
  /// bounds them by the workers that it asks for.
  void ask(std::uint64_t serial, std::string_view reason);
  /// The next one whose turn has come.
  std::optional<Wanted> next(TokenBucket::Clock::time_point now);
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  /// How long until the next one's turn.
  [[nodiscard]] TokenBucket::Clock::duration wait(TokenBucket::Clock::time_point now) const {
    return bucket_.wait(now);
  }
  /// Nobody waits any more; tokens that were spent stay so.
  void clear() { waiting_.clear(); }

 private:
  TokenBucket bucket_{kPerSecond, kAtOnce};
  std::deque<Wanted> waiting_;
};

}  // namespace viaduct::daemon::master
