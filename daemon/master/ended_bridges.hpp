#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <vector>

namespace viaduct::daemon::master {

/// Remembers the process ids of bridges that have ended: a connection that one of them made may
/// still wait to be accepted, and a request in it to be read. A pure object: the caller brings the
/// time.
class EndedBridges {
 public:
  using Clock = std::chrono::steady_clock;

  /// The number may be another process's soon after.
  static constexpr std::chrono::seconds kTime{5};
  static constexpr std::size_t kMax = 64;  ///< of them; beyond, the oldest is forgotten

  void add(pid_t pid, Clock::time_point now);
  [[nodiscard]] bool contains(pid_t pid, Clock::time_point now) const;
  /// All that contains() knows.
  [[nodiscard]] std::vector<pid_t> recent(Clock::time_point now) const;

 private:
  struct Ended {
    pid_t pid = 0;
    Clock::time_point at;
  };
  std::deque<Ended> ended_;  // the oldest first
};

}  // namespace viaduct::daemon::master
