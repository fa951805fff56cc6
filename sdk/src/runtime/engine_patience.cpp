// How long an Engine waits for its clients.

#include "sdk/src/runtime/engine.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

void Engine::watch_client(Link& link) {
  if (link.fastcgi != nullptr) return;
  using Awaited = ClientPatience::Awaited;
  // A handler that waits for the body goes on waiting: what came may have been no part of it.
  if (link.exchanges.size() > 0 && link.patience.awaited() == Awaited::body) {
    return schedule_patience(link);
  }
  const Awaited what = link.exchanges.size() > 0 || backed_up(link) ? Awaited::nothing
                       : link.codec->idle()                         ? Awaited::request
                                                                    : Awaited::head;
  link.patience.await(what, Clock::now());
  schedule_patience(link);
}

void Engine::schedule_patience(const Link& link) {
  if (link.patience.deadline() != Clock::time_point::max()) schedule(link.patience.deadline());
}

// Whether a client that has been waited for long enough loses its connection now. One that sends
// too little of a body is answered first.
bool Engine::lose_patience(Link& link) {
  using Awaited = ClientPatience::Awaited;
  if (link.lingering) return link.linger_until <= now_;
  if (link.patience.unread(now_, link.unacknowledged())) return true;
  if (!link.patience.late(now_)) return false;
  if (link.patience.awaited() != Awaited::body) return true;
  link.patience.await(Awaited::nothing, now_);
  for (Exchange* exchange : link.exchanges.list()) cancel(*exchange, Exchange::Cancel::slow);
  return false;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
