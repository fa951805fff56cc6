#include "daemon/bridge/dispatch/controlled_delay.hpp"

#include <algorithm>
#include <cmath>

namespace viaduct::daemon::bridge {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLeastTarget(5);
constexpr milliseconds kLeastInterval(100);
constexpr std::size_t kRounds = 2;  // of all slots, that no queue is too long for
constexpr int kRemembered =
    16;  // intervals, for which the next overload resumes the rate of the last

}  // namespace

ControlledDelay::Settings controlled_delay(milliseconds queue) {
  if (queue.count() == 0) return {};
  return {std::max(kLeastTarget, queue / 10), std::max(kLeastInterval, queue / 5)};
}

void ControlledDelay::observe(Clock::duration oldest, std::size_t waiting, std::size_t slots,
                              Clock::time_point now) {
  if (settings_.target == Clock::duration::zero()) return;
  if (oldest < settings_.target || waiting <= kRounds * slots) {
    interrupt();
  } else if (above_until_ == Clock::time_point{}) {
    watch(waiting, now);
  } else if (!overloaded_ && now >= above_until_) {
    if (waiting * 8 < waiting_then_ * 7) {
      watch(waiting, now);
    } else {
      begin(now);
    }
  }
}

void ControlledDelay::interrupt() {
  above_until_ = {};
  overloaded_ = false;
}

void ControlledDelay::watch(std::size_t waiting, Clock::time_point now) {
  above_until_ = now + settings_.interval;
  waiting_then_ = waiting;
}

void ControlledDelay::begin(Clock::time_point now) {
  overloaded_ = true;
  const std::uint32_t grown = count_ - last_count_;
  const bool recent = now - next_shed_ < kRemembered * settings_.interval;
  count_ = recent && grown > 1 ? grown : 0;
  last_count_ = std::max(count_, 1U);
  next_shed_ = now;
}

bool ControlledDelay::shed(Clock::time_point now) {
  if (!overloaded_ || now < next_shed_) return false;
  ++count_;
  next_shed_ = next_after(next_shed_);
  return true;
}

ControlledDelay::Clock::time_point ControlledDelay::next_after(Clock::time_point time) const {
  const double interval = static_cast<double>(settings_.interval.count());
  return time + Clock::duration(static_cast<Clock::rep>(interval / std::sqrt(count_)));
}

}  // namespace viaduct::daemon::bridge
