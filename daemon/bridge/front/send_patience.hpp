#pragma once

#include <chrono>
#include <cstdint>

#include "daemon/bridge/reactor.hpp"

namespace viaduct::daemon::bridge {

/// How long the peer of a connection may take nothing of what is to be sent to it (timeouts.send).
/// Pure: the owner says what the socket takes.
///
/// A socket whose buffer is full becomes writable when a third of it is free, which a slow reader
/// of a large buffer needs minutes for. So the owner also says how many bytes the kernel has
/// unacknowledged: fewer than at the last look mean that the peer reads. A look is due every eighth
/// of the limit, so that the verdict is at most an eighth late.
class SendPatience {
 public:
  explicit SendPatience(std::chrono::milliseconds limit) : limit_(limit) {}

  /// A request begins, of an app with that limit (0: none). The longest counts for requests that
  /// are on the connection together; `alone`: the others and their output are gone.
  void begin(std::chrono::milliseconds limit, bool alone) {
    const bool longer = limit.count() == 0 || (limit_.count() != 0 && limit > limit_);
    if (alone || longer) limit_ = limit;
  }
  /// The socket has taken bytes, or some begin to wait for it.
  void restart(Clock::time_point now) {
    since_ = now;
    look_at_ = now + limit_ / 8;
    queued_ = UINT64_MAX;
  }
  /// While bytes wait: whether expired() is to be asked.
  [[nodiscard]] bool due(Clock::time_point now) const {
    return limit_.count() != 0 && now >= look_at_;
  }
  /// Whether the peer has taken nothing for too long. `queued`: bytes that the kernel has for it.
  bool expired(Clock::time_point now, std::uint64_t queued);

 private:
  std::chrono::milliseconds limit_;
  Clock::time_point since_{};
  Clock::time_point look_at_{};
  std::uint64_t queued_ = UINT64_MAX;  // at the last look; UINT64_MAX: there was none
};

}  // namespace viaduct::daemon::bridge
