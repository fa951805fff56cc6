#include "daemon/bridge/dispatch/policy.hpp"

#include <algorithm>
#include <array>

#include "protocol/text.hpp"
#include "protocol/uwsgi/client_codec.hpp"

namespace viaduct::daemon::bridge {

namespace {

// Whether a list of tokens (RFC 9110 section 5.6.1) has that one.
bool names(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (protocol::equal_nocase(protocol::trim(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

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

bool asks_for_upgrade(const protocol::RequestHead& head) {
  if (head.params.get("HTTP_UPGRADE").value_or("").empty()) return false;
  const auto connection = head.params.get("HTTP_CONNECTION");
  return !connection || names(*connection, "upgrade");
}

bool asks_for_tunnel(const protocol::RequestHead& head) {
  if (!asks_for_upgrade(head)) return false;
  if (head.role != protocol::Role::responder || head.content_length.value_or(0) > 0) return false;
  if (head.params.get("REQUEST_METHOD").value_or("GET") != "GET") return false;
  if (head.transfer_coded) return false;
  return !protocol::equal_nocase(*head.params.get("HTTP_UPGRADE"), "h2c");
}

std::uint64_t bytes_to_gather(const BodyToCome& body) {
  using protocol::Role;
  if (body.role == Role::authorizer || body.tunnel) return 0;
  const bool filter = body.role == Role::filter;
  if (!filter && body.length == 0) return 0;
  const bool one_at_a_time = body.taking == Taking::unknown || body.taking == Taking::one;
  // A plain FastCGI program reads CONTENT_LENGTH bytes, none where there is no such variable.
  if (!filter && !body.length && (one_at_a_time || body.length_needed)) return kGatheredWhole;
  if (body.buffering == config::Buffering::always) return kGatheredWhole;
  if (body.buffering == config::Buffering::never || body.taking == Taking::many) return 0;
  if (one_at_a_time) return kGatheredWhole;
  return body.length.value_or(0) > kGatheredForThreads ? 0 : kGatheredForThreads;
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

StillRunning::Time recovery_deadline(const StillRunning& running) {
  constexpr auto kNever = StillRunning::Time::max();
  if (running.deadline == kNever || running.abort.count() == 0) return kNever;
  return std::max(running.deadline, running.now + running.run_on) + running.abort;
}

}  // namespace viaduct::daemon::bridge
