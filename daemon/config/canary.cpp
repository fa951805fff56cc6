#include "daemon/config/canary.hpp"

#include <algorithm>
#include <utility>

#include "daemon/config/settings.hpp"

namespace viaduct::daemon::config {

AppSettings canary_of(const AppSettings& app) {
  AppSettings canary = app;
  canary.is_canary = true;
  canary.command = app.canary->command;
  canary.executable = app.canary->executable;
  canary.command_file = app.canary->command_file;
  canary.pinned_file = app.canary->pinned_file;
  const std::uint64_t share = std::uint64_t{app.workers.max} * app.canary->share;
  const auto count = static_cast<std::uint32_t>(
      std::max<std::uint64_t>(1, (share + kWholeShare - 1) / kWholeShare));
  canary.workers = {.min = count, .max = count};
  canary.canary.reset();
  return canary;
}

std::string pool_name(const AppSettings& app) {
  return app.is_canary ? app.name + "/canary" : app.name;
}

std::string format_share(std::uint32_t share) {
  std::string text = std::to_string(share / 100);
  if (share % 100 != 0) {
    text += '.' + std::to_string(share % 100 / 10);
    if (share % 10 != 0) text += std::to_string(share % 10);
  }
  return text + '%';
}

std::vector<AppSettings> pools_of(const Settings& settings) {
  std::vector<AppSettings> pools = settings.apps;
  for (const AppSettings& app : settings.apps) {
    if (app.canary) pools.push_back(canary_of(app));
  }
  return pools;
}

}  // namespace viaduct::daemon::config
