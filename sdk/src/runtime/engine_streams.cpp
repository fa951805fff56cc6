// Responses that stay open: their heartbeats, and their end.

#include "sdk/src/runtime/engine.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

void Engine::await_heartbeat(Exchange& exchange) {
  if (exchange.heartbeat_every.count() == 0) return;
  exchange.heartbeat_at = Clock::now() + exchange.heartbeat_every;
  schedule(exchange.heartbeat_at);
}

// Sends a heartbeat if one is due and returns when the next one will be. Those that are nearly due
// are sent along, so that thousands of streams do not each wake the engine.
Engine::Clock::time_point Engine::beat(Exchange& exchange) {
  if (exchange.heartbeat_at == Clock::time_point::max()) return exchange.heartbeat_at;
  if (exchange.heartbeat_at > now_ + exchange.heartbeat_every / 8) return exchange.heartbeat_at;
  exchange.heartbeat_at = now_ + exchange.heartbeat_every;
  const LinkPtr& link = exchange.link;
  const auto size = static_cast<std::uint32_t>(exchange.heartbeat.size());
  // A client that takes nothing needs none.
  const bool room = link->codec->output().size() < kMaxOutput;
  if (link->open && !link->failed && exchange.cancelled == Exchange::Cancel::none && room &&
      exchange.send_credit.available() >= size) {
    exchange.send_credit.spend(size);
    link->codec->body(exchange.id, protocol::as_bytes(exchange.heartbeat));
    mark_dirty(link);
  }
  return exchange.heartbeat_at;
}

void Engine::mark_dirty(const LinkPtr& link) {
  if (link->dirty) return;
  link->dirty = true;
  dirty_.push_back(link);
}

void Engine::stop_stream(Exchange& exchange) {
  if (!exchange.stop_source().stop_possible()) return;
  stops_.push_back({exchange.stop_source(), exchange.link, exchange.id});
}

// Of one link, or all.
void Engine::stop_streams(const Link* only) {
  for (Exchange& exchange : active_) {
    if (exchange.stream && (only == nullptr || exchange.link.get() == only)) stop_stream(exchange);
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
