// Routes whose requests make workers crash.

#include <chrono>
#include <map>

#include "daemon/bridge/dispatch/dispatcher.hpp"
#include "daemon/bridge/dispatch/route_pattern.hpp"
#include "daemon/bridge/dispatch/route_table.hpp"

namespace viaduct::daemon::bridge {

const std::string& Dispatcher::pattern_of(const Exchange& exchange) {
  route_pattern(exchange.method(), request_path(exchange.head().params), pattern_);
  return pattern_;
}

void Dispatcher::lost_at(const Exchange& exchange, const Worker& worker) {
  losses_.add(worker.info().serial, pattern_of(exchange), exchange.summary(),
              services_.reactor.now());
}

void Dispatcher::answered_after(const Exchange& exchange, const Worker& worker,
                                std::uint64_t lost) {
  if (losses_.clear(lost, pattern_of(exchange))) return;
  reports_.cleared(worker.info().app, lost, pattern_);
}

bool Dispatcher::refuse_closed(Exchange& exchange) {
  const auto closed = closed_routes_.find(pattern_of(exchange));
  if (closed == closed_routes_.end()) return false;
  const auto left = closed->second - services_.reactor.now();
  if (left <= Clock::duration::zero()) {
    closed_routes_.erase(closed);
    return false;
  }
  report_refusal("workers crash with requests of its route");
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
  exchange.refuse(503, static_cast<std::uint32_t>(seconds));
  return true;
}

void Dispatcher::close_route(const std::string& route, Clock::time_point until) {
  const auto now = services_.reactor.now();
  std::erase_if(closed_routes_, [now](const auto& entry) { return entry.second <= now; });
  closed_routes_[route] = until;
  queue_.for_each([this](Waiting& waiting) {
    auto& exchange = static_cast<Exchange&>(waiting);
    if (closed_routes_.contains(pattern_of(exchange))) {
      withdraw(exchange);
      refuse_closed(exchange);
    }
  });
}

void Dispatcher::open_route(const std::string& route) {
  closed_routes_.erase(route);
}

}  // namespace viaduct::daemon::bridge
