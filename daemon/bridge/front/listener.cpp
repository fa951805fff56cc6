#include "daemon/bridge/front/listener.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "daemon/bridge/front/peer.hpp"
#include "daemon/bridge/socket.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::bridge {

namespace {

/// Accepted in one go, so that open connections are served in between.
constexpr int kBatch = 64;

bool is_tcp(int socket) {
  int family = AF_UNSPEC;
  socklen_t size = sizeof(family);
  ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size);
  return family == AF_INET || family == AF_INET6;
}

// Whether accept() failed for want of something that may come back.
bool is_exhaustion(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Listener::Listener(Front& front, ConnectionList& connections, Reserve& reserve, int descriptor,
                   std::uint32_t max_connections)
    : front_(front),
      connections_(connections),
      reserve_(reserve),
      descriptor_(front.services.reactor.executor(), descriptor),
      tcp_(is_tcp(descriptor)),
      max_connections_(max_connections),
      reports_(1, std::chrono::seconds(1), 4) {}

void Listener::start() {
  started_ = true;
  await_connection();
}

void Listener::stop() {
  if (started_) {
    tick_former();
    accept_rest(descriptor_);
  }
  started_ = false;
  former_.clear();
  descriptor_.close();
}

void Listener::replace(int descriptor) {
  // The wait under way ends with an error, and would be the last.
  if (started_) descriptor_.cancel();
  if (started_ && !accept_rest(descriptor_)) former_.push_back(std::move(descriptor_));
  descriptor_ = Reactor::Descriptor(front_.services.reactor.executor(), descriptor);
  ++sockets_;
  waiting_ = false;
  if (started_) await_connection();
}

void Listener::tick() {
  if (!started_) return;
  tick_former();
  await_connection();
}

// In turn: who has waited longest comes first.
void Listener::tick_former() {
  while (!former_.empty() && accept_rest(former_.front())) former_.pop_front();
}

void Listener::await_connection() {
  Victims victims;
  if (waiting_ || !has_room(victims)) return;
  waiting_ = true;
  const auto wait = [this, socket = sockets_](boost::system::error_code error) {
    if (socket != sockets_) return;
    waiting_ = false;
    if (error || !started_) return;
    Reactor::Event event(front_.services.reactor);
    accept_some();
  };
  descriptor_.async_wait(Reactor::Descriptor::wait_read, wait);
}

bool Listener::full() const {
  return front_.services.use.connections.load(std::memory_order_relaxed) >=
         static_cast<std::int64_t>(max_connections_);
}

// Every look at all connections may make room for a batch, so that a flood of them costs little.
bool Listener::has_room(Victims& victims) {
  if (!full()) return true;
  if (!victims) victims = connections_.expendable(kBatch);
  return !victims->empty();
}

void Listener::make_room(Victims& victims) {
  if (!full() || !victims || victims->empty()) return;
  // One whose next request has arrived goes only where all have.
  auto chosen = std::find_if(victims->begin(), victims->end(), [](const auto& candidate) {
    using State = Expendable<Connection>::State;
    return candidate.state != State::idle || !has_input(candidate.connection->descriptor());
  });
  if (chosen == victims->end()) chosen = victims->begin();
  Connection& victim = *chosen->connection;
  victims->erase(chosen);
  report("limits.connections reached: HTTP connections without a request are closed", "peer",
         identify(victim.descriptor()).name);
  victim.close();
}

void Listener::accept_some() {
  reserve_.fill();
  Victims victims;
  for (int i = 0; i < kBatch && has_room(victims); ++i) {
    const int accepted =
        ::accept4(descriptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
      exhausted_since_ = {};
      make_room(victims);
      take(accepted, Origin::accepted);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      exhausted_since_ = {};
      await_connection();
      return;
    }
    run_out(errno);
    return;
  }
  if (!has_room(victims) && !std::exchange(reported_full_, true)) {
    front_.services.log.warning("limits.connections reached: further connections wait",
                                {{"listener", front_.name}, {"connections", max_connections_}});
  }
  await_connection();
}

// No connection is closed for one of these: a successor that has the socket may have room.
bool Listener::accept_rest(Reactor::Descriptor& socket) {
  while (!full()) {
    const int accepted =
        ::accept4(socket.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
      take(accepted, Origin::accepted);
    } else if (is_exhaustion(errno)) {
      report("cannot accept a connection", "error", std::generic_category().message(errno));
      return false;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return true;
    }
  }
  return false;
}

// Whatever happens here, only the next tick tries again.
void Listener::run_out(int error) {
  report("cannot accept a connection", "error", std::generic_category().message(error));
  Reactor& reactor = front_.services.reactor;
  reactor.tick_soon();
  if (error != EMFILE && error != ENFILE) return;
  if (exhausted_since_ == Clock::time_point{}) exhausted_since_ = reactor.now();
  if (reactor.now() - exhausted_since_ < kPatience || !reserve_.give_up()) return;
  const int accepted =
      ::accept4(descriptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted >= 0) take(accepted, Origin::refused);
}

void Listener::report(std::string_view message, std::string_view name, std::string_view value) {
  const auto decision = reports_.admit(message, front_.services.reactor.now());
  if (!decision.write) return;
  front_.services.log.warning(
      message, {{"listener", front_.name}, {name, value}, {"suppressed", decision.suppressed}});
}

std::shared_ptr<Connection> Listener::take(int descriptor, Origin origin) {
  // Before anything closes it.
  if (tcp_) settle_options(descriptor);
  Connection::Standing standing;
  if (!front_.settings.allow.empty() || !front_.settings.trusted.empty()) {
    const Peer peer = identify(descriptor);
    if (!front_.settings.allow.empty() && !matches(front_.settings.allow, peer)) {
      report("connection refused: not in allow", "peer", peer.name);
      ::close(descriptor);
      return nullptr;
    }
    standing.trusted = matches(front_.settings.trusted, peer);
  }
  ClientCounts::Place place;
  if (!enter(descriptor, standing.trusted, place)) return nullptr;
  // A predecessor hands over no connection of which it expected a PROXY header.
  standing.proxy_header =
      standing.trusted && front_.settings.proxy_protocol && origin != Origin::adopted;
  auto connection = std::make_shared<Connection>(front_, connections_, descriptor, standing);
  connection->count(std::move(place));
  if (origin == Origin::refused) connection->refuse_all();
  connections_.add(connection);
  return connection;
}

// Whom a PROXY header names is counted when it has come (Connection::introduce).
bool Listener::enter(int descriptor, bool trusted, ClientCounts::Place& place) {
  if (trusted || !front_.counts_clients()) return true;
  const Peer peer = identify(descriptor);
  if (front_.enter(peer, place)) return true;
  report("connection refused: limits.connections_per_client", "peer", peer.host);
  ::close(descriptor);
  return false;
}

void Listener::adopt(int descriptor) {
  never_linger(descriptor);
  if (const auto connection = take(descriptor, Origin::adopted)) connection->share();
}

}  // namespace viaduct::daemon::bridge
