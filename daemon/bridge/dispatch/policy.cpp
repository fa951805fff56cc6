#include "daemon/bridge/dispatch/policy.hpp"

#include <algorithm>
#include <array>

#include "protocol/uwsgi/client_codec.hpp"

namespace viaduct::daemon::bridge {

Admission admit(const Load& load) {
  if (load.slot_free && !load.others_wait) return Admission::send;
  if (load.state == channel::AppState::failing) return Admission::failing;
  if (load.queued >= load.queue_limit) return Admission::full;
  return Admission::wait;
}

std::optional<Inexpressible> inexpressible(config::ServerProtocol protocol,
                                           const protocol::RequestHead& head) {
  // VIADUCT_DEADLINE_MS and CONTENT_LENGTH may be added.
  constexpr std::uint64_t kAdded = 128;
  if (protocol == config::ServerProtocol::fastcgi) return std::nullopt;
  if (head.role != protocol::Role::responder) {
    return Inexpressible{501, "only FastCGI servers have other roles than Responder"};
  }
  if (protocol == config::ServerProtocol::uwsgi &&
      protocol::uwsgi::block_size(head.params) + kAdded > protocol::uwsgi::kMaxBlock) {
    return Inexpressible{431, "the variables are longer than a uwsgi packet can be"};
  }
  return std::nullopt;
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
