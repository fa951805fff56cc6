#include "daemon/bridge/front/patience.hpp"

#include <utility>

namespace viaduct::daemon::bridge {

Patience::Verdict Patience::tick(Clock::time_point now, bool busy, bool between) {
  const bool changed = std::exchange(between_, between) != between;
  if (busy || changed) {
    since_ = now;
  } else if (!between && now - since_ > kHead) {
    return Verdict::slow_head;
  } else if (between && bounded_ && now - since_ > kBetween) {
    return Verdict::unused;
  }
  return Verdict::wait;
}

}  // namespace viaduct::daemon::bridge
