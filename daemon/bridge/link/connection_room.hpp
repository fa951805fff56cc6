#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "daemon/bridge/reactor.hpp"

namespace viaduct::daemon::bridge {

/// How many connections a server has processes for, as far as one thread of the bridge can see.
/// Pure: the owner says what it sees.
///
/// A process of PHP-FPM serves one connection until that is closed, idle or not. With more
/// connections than processes, a new one waits in the server's backlog and stays silent. Then as
/// many are taken for its room as had an answer and are open, for kRemembered, or until more have.
class ConnectionRoom {
 public:
  /// A server may be given more processes.
  static constexpr std::chrono::seconds kRemembered{60};
  static constexpr std::size_t kUnknown = SIZE_MAX;

  /// So many connections are open at once and have had an answer, the present one or an earlier.
  void serves(std::size_t connections) {
    if (until_ != Clock::time_point{} && connections > room_) room_ = connections;
  }
  /// While it serves so many, at least one, a new connection has been silent for
  /// ServerSettings::silence, and may be waiting for a process.
  void starves(std::size_t connections, Clock::time_point now) {
    room_ = connections;
    until_ = now + kRemembered;
  }
  /// kUnknown, or how many connections there should be at most while some are idle.
  [[nodiscard]] std::size_t limit(Clock::time_point now) const {
    return now < until_ ? room_ : kUnknown;
  }

 private:
  std::size_t room_ = 0;
  Clock::time_point until_{};  // epoch: nothing was seen
};

}  // namespace viaduct::daemon::bridge
