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

void LossRecord::add(std::uint64_t worker, std::string_view route, Clock::time_point now) {
  if (!workers_.contains(worker) && workers_.size() == kMaxWorkers) {
    workers_.erase(std::min_element(workers_.begin(), workers_.end(), [](auto& a, auto& b) {
      return a.second.when < b.second.when;
    }));
  }
  Entry& entry = workers_[worker];
  if (now - entry.when > kLasting) entry.routes.clear();
  entry.when = now;
  const auto found = find_route(entry.routes, route);
  if (found != entry.routes.end()) {
    ++found->requests;
  } else if (entry.routes.size() < kMaxRoutes) {
    entry.routes.push_back({std::string(route), 1});
  }
}

bool LossRecord::clear(std::uint64_t worker, std::string_view route) {
  const auto entry = workers_.find(worker);
  if (entry == workers_.end()) return false;
  const auto found = find_route(entry->second.routes, route);
  if (found != entry->second.routes.end()) entry->second.routes.erase(found);
  return true;
}

std::vector<Suspect> LossRecord::take(std::uint64_t worker, Clock::time_point now) {
  const auto entry = workers_.find(worker);
  if (entry == workers_.end()) return {};
  const bool recent = now - entry->second.when <= kLasting;
  auto routes = std::move(entry->second.routes);
  workers_.erase(entry);
  return recent ? routes : std::vector<Suspect>{};
}

}  // namespace viaduct::daemon::bridge
