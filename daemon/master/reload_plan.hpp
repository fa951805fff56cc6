#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/settings.hpp"

namespace viaduct::daemon::master {

/// What a reload does with one app.
struct AppChange {
  enum class Kind {
    kept,       ///< the workers go on
    restarted,  ///< new workers replace the old ones
    added,
    removed,
  };

  std::string app;
  Kind kind = Kind::kept;
  /// Of `restarted`: see config::worker_changes(). None when it was asked for.
  std::vector<std::string_view> reasons;

  bool operator==(const AppChange&) const = default;
};

/// Apps of the new settings in their order, then the removed ones.
using ReloadPlan = std::vector<AppChange>;
/// `forced`: names of apps that are restarted even if nothing of them has changed.
ReloadPlan plan_reload(const config::Settings& before, const config::Settings& after,
                       const std::vector<std::string>& forced = {});

/// "generation 7: shop kept, api restarted (env changed), blog added; ready in 0.4 s".
std::string summary(unsigned generation, const ReloadPlan& plan, std::chrono::milliseconds took);

}  // namespace viaduct::daemon::master
