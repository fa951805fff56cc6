#include "daemon/bridge/thread.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "daemon/bridge/dispatch/lanes.hpp"
#include "daemon/channel/hand_over.hpp"

namespace viaduct::daemon::bridge {

namespace {

/// Requests that a multiplexing front server may have active on one connection.
constexpr std::uint32_t kRequestsPerConnection = 1024;

std::uint32_t app_index(const config::BridgeSettings& settings, const std::string& name) {
  const auto found = std::find_if(settings.apps.begin(), settings.apps.end(),
                                  [&](const config::BridgeApp& app) { return app.name == name; });
  return static_cast<std::uint32_t>(found - settings.apps.begin());
}

Route make_route(const config::RouteSettings& from, std::uint32_t app, std::uint32_t lane) {
  Route route{.host = from.host,
              .path = from.exact.empty() ? from.path : from.exact,
              .exact = !from.exact.empty(),
              .methods = from.methods,
              .mount = from.mount,
              .app = app,
              .lane = lane};
  if (from.header) {
    route.variable = config::header_variable(from.header->name);
    route.value = from.header->value;
  }
  return route;
}

/// The codec does not know yet where a request will go, so it accepts what any app of the listener
/// does.
protocol::Limits limits_of(const config::BridgeSettings& settings,
                           const std::vector<Route>& routes) {
  protocol::Limits limits;
  limits.params = 0;
  for (const Route& route : routes) {
    limits.params = std::max(limits.params, settings.apps[route.app].limits.params);
  }
  limits.value = static_cast<std::uint32_t>(std::min<std::uint64_t>(limits.params, UINT32_MAX));
  limits.requests = kRequestsPerConnection;
  return limits;
}

}  // namespace

Thread::Thread(unsigned index, const config::BridgeSettings& settings,
               std::vector<std::unique_ptr<SharedApp>>& apps, const log::Log& log,
               Scoreboard& scores, ProcessUse& use, WorkerReports& reports,
               const std::vector<int>& listeners)
    : reactor_(index),
      exchanges_(reactor_),
      access_log_(reactor_, log, settings.access_log.format, settings.access_log.sample),
      services_{reactor_, log, access_log_, scores, exchanges_, use},
      connections_(services_),
      relief_(services_, connections_) {
  for (std::uint32_t i = 0; i < apps.size(); ++i) {
    dispatchers_.push_back(std::make_unique<Dispatcher>(
        services_, i, *apps[i], scores.apps.at(apps[i]->settings.score), reports));
  }
  for (std::uint32_t i = 0; i < listeners.size(); ++i) add_listener(settings, i, listeners[i]);
}

Thread::~Thread() {
  connections_.close_all();
  listeners_.clear();
  dispatchers_.clear();
  Reactor::Event last(reactor_);
}

void Thread::add_listener(const config::BridgeSettings& settings, std::uint32_t index,
                          int descriptor) {
  const config::BridgeListener& listener = settings.listeners[index];
  std::vector<Route> routes;
  for (std::size_t i = 0; i < listener.routes.size(); ++i) {
    const config::RouteSettings& route = listener.routes[i];
    routes.push_back(
        make_route(route, app_index(settings, route.app), lane_of(settings, index, i)));
  }
  const protocol::Limits limits = limits_of(settings, routes);
  std::vector<Dispatcher*> apps;
  for (const auto& dispatcher : dispatchers_) apps.push_back(dispatcher.get());
  fronts_.push_back(std::make_unique<Front>(
      Front{.services = services_,
            .settings = listener,
            .name = config::format(listener.address),
            .socket = channel::socket_identity(descriptor),
            .routes = RouteTable(std::move(routes)),
            .apps = std::move(apps),
            .limits = limits,
            .body_rate = config::body_rate(settings.limits, listener.protocol),
            .max_connections = settings.limits.connections}));
  const int own = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (own < 0) throw std::system_error(errno, std::generic_category(), "duplicating a listener");
  listeners_.push_back(std::make_unique<Listener>(*fronts_.back(), connections_, reserve_, own,
                                                  settings.limits.connections));
}

void Thread::run(std::function<void()> on_tick) {
  on_tick_ = std::move(on_tick);
  reactor_.start([this] { return tick(); });
  reactor_.run();
}

bool Thread::tick() {
  const auto now = reactor_.now();
  exchanges_.tick(now);
  for (const auto& dispatcher : dispatchers_) dispatcher->tick(now);
  for (const auto& listener : listeners_) listener->tick();
  connections_.tick(now);
  const bool lines_wait = access_log_.tick();
  reactor_.memory().tell();
  services_.scores.progress.fetch_add(1, std::memory_order_relaxed);
  if (on_tick_) on_tick_();
  return !exchanges_.empty() || draining_ || lines_wait || unready_workers();
}

bool Thread::unready_workers() const {
  return std::any_of(dispatchers_.begin(), dispatchers_.end(),
                     [](const auto& dispatcher) { return dispatcher->wants_tick(); });
}

void Thread::accept() {
  for (const auto& listener : listeners_) listener->start();
}

void Thread::replace_listener(std::size_t index, UniqueFd socket) {
  if (draining_) return;
  fronts_[index]->socket = channel::socket_identity(socket.get());
  listeners_[index]->replace(socket.release());
}

void Thread::keep_connections(bool keep) {
  for (const auto& dispatcher : dispatchers_) dispatcher->keep_connections(keep);
}

void Thread::adopt(std::uint64_t listener, UniqueFd connection) {
  const auto front = std::find_if(fronts_.begin(), fronts_.end(),
                                  [listener](const auto& f) { return f->socket == listener; });
  if (front == fronts_.end()) return;
  listeners_[static_cast<std::size_t>(front - fronts_.begin())]->adopt(connection.release());
}

void Thread::drain(ConnectionList::HandOver hand_over) {
  draining_ = true;
  reactor_.tick_soon();
  for (const auto& listener : listeners_) listener->stop();
  for (const auto& front : fronts_) front->draining = true;
  for (const auto& dispatcher : dispatchers_) dispatcher->announce_draining();
  keep_connections(false);
  connections_.drain(std::move(hand_over));
}

bool Thread::drained() const {
  return draining_ && connections_.empty() && exchanges_.empty();
}

}  // namespace viaduct::daemon::bridge
