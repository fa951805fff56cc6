#include "daemon/bridge/dispatch/body_patience.hpp"

#include <algorithm>

namespace viaduct::daemon::bridge {

BodyPatience::Verdict BodyPatience::verdict() const {
  if (limit_.count() != 0 && silence_ >= limit_) return Verdict::silent;
  return rate_.left() == protocol::BodyRate::Duration::zero() ? Verdict::slow : Verdict::wait;
}

double BodyPatience::rate() const {
  const auto seconds = std::chrono::duration<double>(window_).count();
  return static_cast<double>(bytes_) / std::max(seconds, 1.0);
}

}  // namespace viaduct::daemon::bridge
