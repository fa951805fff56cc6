#include "daemon/bridge/dispatch/policy.hpp"

#include <algorithm>
#include <array>

namespace viaduct::daemon::bridge {

Admission admit(const Load& load) {
  if (load.slot_free && !load.others_wait) return Admission::send;
  if (load.state == channel::AppState::failing) return Admission::failing;
  if (load.queued >= load.queue_limit) return Admission::full;
  return Admission::wait;
}

bool idempotent(std::string_view method) {
  static constexpr std::array<std::string_view, 6> kMethods{"GET",   "HEAD", "OPTIONS",
                                                            "TRACE", "PUT",  "DELETE"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

bool may_retry(const Loss& loss) {
  const unsigned most = loss.delivered ? 2 : std::max(2U, loss.servers + 1);
  if (loss.attempts >= most || !loss.body_held) return false;
  if (!loss.delivered) return true;
  return loss.policy == config::Retry::idempotent && idempotent(loss.method);
}

}  // namespace viaduct::daemon::bridge
