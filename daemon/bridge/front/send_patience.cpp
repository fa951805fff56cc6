#include "daemon/bridge/front/send_patience.hpp"

namespace viaduct::daemon::bridge {

bool SendPatience::expired(Clock::time_point now, std::uint64_t queued) {
  if (queued_ != UINT64_MAX && queued < queued_) since_ = now;
  queued_ = queued;
  look_at_ = now + limit_ / 8;
  return now - since_ >= limit_;
}

}  // namespace viaduct::daemon::bridge
