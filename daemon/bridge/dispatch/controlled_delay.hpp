#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace viaduct::daemon::bridge {

/// Controlled delay (CoDel, RFC 8289) for requests that wait for a worker: tells a burst, which a
/// queue is there to absorb, from overload, where it only makes everybody wait. A pure object: the
/// caller brings the time. One per lane and thread.
///
///               oldest waits less than target, or there is hardly a queue
///                 +-----------------------------------------------+
///                 v                                               |
///     light load ----> oldest has waited >= target for interval ----> overloaded
///                                                    one is shed now, the next after interval,
///                                                    interval/sqrt(2), interval/sqrt(3), ...
///
/// What differs from the RFC:
/// - The delay is that of the oldest that waits: the same thing while the queue is first in, first
///   out, and still meaningful when it is not.
/// - A queue no longer than twice the number of slots stands for the RFC's single packet: it is
/// gone
///   after two service times, however long these are.
/// - A queue that has become shorter by an eighth within the interval is a burst on its way out,
/// and
///   gets another interval.
/// - Clients do not slow down when one of them is refused, so the law alone cannot bound the queue:
/// a
///   full one sheds besides (WaitQueue::place_for).
class ControlledDelay {
 public:
  using Clock = std::chrono::steady_clock;

  struct Settings {
    Clock::duration target{};    ///< waiting that is no overload; 0: never overloaded
    Clock::duration interval{};  ///< how long it has to last before anything is shed
  };

  explicit ControlledDelay(Settings settings) : settings_(settings) {}

  /// Before a request leaves the queue: how long the oldest has waited, how many wait, and how many
  /// requests the workers take at once.
  void observe(Clock::duration oldest, std::size_t waiting, std::size_t slots,
               Clock::time_point now);

  /// No worker is there to leave the queue for: that time is no overload, and one that was there
  /// before is over. The next one has to last for an interval from the next observation on.
  void interrupt();

  [[nodiscard]] bool overloaded() const { return overloaded_; }

  /// Whether the oldest is to be shed now. To be asked, with observe() before, until it is not.
  bool shed(Clock::time_point now);

  [[nodiscard]] const Settings& settings() const { return settings_; }

 private:
  [[nodiscard]] Clock::time_point next_after(Clock::time_point time) const;
  void watch(std::size_t waiting, Clock::time_point now);
  void begin(Clock::time_point now);

  Settings settings_;
  bool overloaded_ = false;
  Clock::time_point above_until_{};  // overloaded if above target until then; epoch: it is below
  std::size_t waiting_then_ = 0;     // when that interval began
  Clock::time_point next_shed_{};
  std::uint32_t count_ = 0;       // shed since the overload began
  std::uint32_t last_count_ = 0;  // at the beginning of the last one
};

/// What waiting of at most `queue` (timeouts.queue; 0: not limited) allows: the target is a tenth
/// of it, the interval a fifth, but not less than 5 and 100 ms. Without a limit nothing is shed.
ControlledDelay::Settings controlled_delay(std::chrono::milliseconds queue);

}  // namespace viaduct::daemon::bridge
