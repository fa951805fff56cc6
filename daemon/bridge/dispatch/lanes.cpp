#include "daemon/bridge/dispatch/lanes.hpp"

namespace viaduct::daemon::bridge {

namespace {

using config::Priority;

constexpr Priority kPriorities[] = {Priority::high, Priority::normal, Priority::low};

// Calls `visit(listener, route)` for the routes to that app that have a limit, in a fixed order.
template <class Visit>
void for_each_limited(const config::BridgeSettings& settings, std::string_view app, Visit visit) {
  for (std::size_t i = 0; i < settings.listeners.size(); ++i) {
    const auto& routes = settings.listeners[i].routes;
    for (std::size_t k = 0; k < routes.size(); ++k) {
      if (routes[k].app == app && routes[k].limit != 0) visit(i, k);
    }
  }
}

}  // namespace

std::deque<Lane> lanes_of(const config::BridgeSettings& settings, std::string_view app) {
  std::deque<Lane> lanes;
  for (const Priority priority : kPriorities) lanes.emplace_back(priority);
  for_each_limited(settings, app, [&](std::size_t listener, std::size_t route) {
    const config::RouteSettings& limited = settings.listeners[listener].routes[route];
    lanes.emplace_back(limited.priority, limited.limit);
  });
  return lanes;
}

std::uint32_t lane_of(const config::BridgeSettings& settings, std::size_t listener,
                      std::size_t route) {
  const config::RouteSettings& wanted = settings.listeners[listener].routes[route];
  if (wanted.limit == 0) return static_cast<std::uint32_t>(wanted.priority);
  std::uint32_t next = std::size(kPriorities);
  std::uint32_t lane = next;
  for_each_limited(settings, wanted.app, [&](std::size_t i, std::size_t k) {
    if (i == listener && k == route) lane = next;
    ++next;
  });
  return lane;
}

}  // namespace viaduct::daemon::bridge
