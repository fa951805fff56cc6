#include "daemon/master/tallies.hpp"

namespace viaduct::daemon::master {

std::shared_ptr<AppTally> Tallies::take(const std::string& app) {
  if (const auto found = apps_.find(app); found != apps_.end()) {
    if (auto tally = found->second.lock()) return tally;
  }
  // Apps come and go with every reload.
  std::erase_if(apps_, [](const auto& entry) { return entry.second.expired(); });
  auto tally = std::make_shared<AppTally>();
  apps_[app] = tally;
  return tally;
}

}  // namespace viaduct::daemon::master
