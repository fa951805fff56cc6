#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace viaduct::daemon::master {

/// Processes that workers leave behind: they have made themselves independent of the worker that
/// started them, by another session or by the death of their parent. They become children of this
/// process (PR_SET_CHILD_SUBREAPER) and are killed once their worker has ended, with what they have
/// started themselves. Whose they are is told by their session, which is the worker's, or by
/// VIADUCT_WORKER_SERIAL in the environment that they began with. Others live until end(), except
/// children that this process had before it started any.
class Orphans {
 public:
  using Clock = std::chrono::steady_clock;
  /// Whether somebody waits for that child.
  using Expected = std::function<bool(pid_t)>;

  /// Makes orphans below this process its children.
  static void adopt();

  explicit Orphans(Expected expected);

  /// Environments that one look() reads, and how much of each: a worker that leaves thousands of
  /// processes must not keep this one busy.
  static constexpr std::size_t kReadsPerLook = 128;
  static constexpr std::size_t kEnvironBytes = 128 * 1024;

  /// A worker has ended, and was waited for. `serial`: its VIADUCT_WORKER_SERIAL.
  void worker_ended(pid_t pid, std::uint64_t serial, Clock::time_point now);
  /// A child has ended that nobody expected: what it leaves has become a child in its turn.
  void orphan_ended(pid_t pid);
  /// To be called once after any number of such ends: kills what belongs to workers that have ended
  /// lately. The environment of each process is read once. Returns whether some have not been
  /// judged yet: then it is to be called again, when others have had their turn.
  bool look(Clock::time_point now);
  /// Kills whatever has been left, and waits for it, a second at most.
  void end();

 private:
  struct Ended {
    pid_t pid;
    std::string serial;
    Clock::time_point when;
  };

  // Children that nobody waits for and that came after this process had begun.
  [[nodiscard]] std::vector<pid_t> left() const;
  [[nodiscard]] bool is_in_session_of_ended(pid_t child) const;
  [[nodiscard]] bool is_serial_of_ended(const std::string& serial) const;

  Expected expected_;
  std::set<pid_t> inherited_;  // children from before
  std::deque<Ended> ended_;    // lately, at most kRemembered
  // Of the children that look() found last and read: what their environment says; none: there
  // was none then.
  std::map<pid_t, std::optional<std::string>> serials_;
};

/// The value that a process began with of an environment variable, in the text of
/// /proc/PID/environ; "" when there is none. An entry without its NUL, which was cut, is not
/// believed.
std::string environment_value(const std::string& environ, std::string_view name);

}  // namespace viaduct::daemon::master
