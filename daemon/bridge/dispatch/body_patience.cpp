#include "daemon/bridge/dispatch/body_patience.hpp"

#include <algorithm>

namespace viaduct::daemon::bridge {

BodyPatience::Verdict BodyPatience::verdict(const Limits& limits) const {
  if (limits.silence.count() != 0 && silence_ >= limits.silence) return Verdict::silent;
  if (limits.rate == 0 || waited_ < kGrace) return Verdict::wait;
  const auto seconds = std::chrono::duration<double>(waited_).count();
  return static_cast<double>(bytes_) < limits.rate * seconds ? Verdict::slow : Verdict::wait;
}

double BodyPatience::rate() const {
  const auto seconds = std::chrono::duration<double>(waited_).count();
  return static_cast<double>(bytes_) / std::max(seconds, 1.0);
}

}  // namespace viaduct::daemon::bridge
