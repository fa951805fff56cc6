#include "daemon/bridge/dispatch/loss_record.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace viaduct::daemon::bridge {

namespace {

auto find_route(std::vector<Suspect>& routes, std::string_view route) {
  return std::find_if(routes.begin(), routes.end(),
                      [route](const Suspect& suspect) { return suspect.route == route; });
}

}  // namespace

void LossRecord::add(std::uint64_t worker, std::string_view route, std::string_view request,
                     Clock::time_point now) {
  forget(now);
  if (!workers_.contains(worker) && workers_.size() == kMaxWorkers) {
    workers_.erase(std::min_element(workers_.begin(), workers_.end(), [](auto& a, auto& b) {
      return a.second.when < b.second.when;
    }));
  }
  Entry& entry = workers_[worker];
  entry.when = now;
  entry.loss.requests.add(request);
  auto& routes = entry.loss.suspects;
  const auto found = find_route(routes, route);
  if (found != routes.end()) {
    ++found->requests;
  } else if (routes.size() < kMaxRoutes) {
    routes.push_back({std::string(route), 1});
  }
}

bool LossRecord::clear(std::uint64_t worker, std::string_view route) {
  const auto entry = workers_.find(worker);
  if (entry == workers_.end()) return false;
  auto& routes = entry->second.loss.suspects;
  const auto found = find_route(routes, route);
  if (found != routes.end()) routes.erase(found);
  return true;
}

LossRecord::Loss LossRecord::take(std::uint64_t worker, Clock::time_point now) {
  forget(now);
  auto entry = workers_.extract(worker);
  return entry ? std::move(entry.mapped().loss) : Loss{};
}

void LossRecord::forget(Clock::time_point now) {
  std::erase_if(workers_, [now](const auto& entry) { return now - entry.second.when > kLasting; });
}

}  // namespace viaduct::daemon::bridge
