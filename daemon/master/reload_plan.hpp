#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/settings.hpp"

namespace viaduct::daemon::master {

/// A `scale` that does not outlive a reload.
struct UndoneScale {
  config::Workers scaled;
  config::Workers configured;

  bool operator==(const UndoneScale&) const = default;
};

/// An app that does not come along.
struct AppFailure {
  std::string app;
  std::string why;
  bool added = false;  ///< nobody has it yet: it has no former settings

  bool operator==(const AppFailure&) const = default;
};

/// What a reload does with one app.
struct AppChange {
  enum class Kind {
    kept,       ///< the workers go on
    restarted,  ///< new workers replace the old ones
    went_back,  ///< its former workers replace them again
    added,
    removed,
    behind,   ///< failed: settings and workers stay as they are
    failing,  ///< added although its workers do not become ready
  };

  std::string app;
  Kind kind = Kind::kept;
  /// Of `restarted`: see config::worker_changes(). None when it was asked for. Of `went_back`: what
  /// differs in the settings that are in force again.
  std::vector<std::string_view> reasons;
  std::string failure{};                   ///< of `behind` and `failing`: why
  std::optional<UndoneScale> undone = {};  ///< a number of workers that was set by hand
  /// Of workers that go on: their sockets are gone, and no others could be started.
  bool cut_off = false;

  bool operator==(const AppChange&) const = default;
};

/// Apps of the new settings in their order, then their canaries ("shop/canary"), then what is
/// removed.
using ReloadPlan = std::vector<AppChange>;

/// The change of that app, or nullptr. Valid as long as `plan` is.
const AppChange* find_change(const ReloadPlan& plan, const std::string& app);

/// `forced`: names of apps that are restarted even if nothing of them has changed.
ReloadPlan plan_reload(const config::Settings& before, const config::Settings& after,
                       const std::vector<std::string>& forced = {});

/// Says of each app that failed what becomes of it. Its canaries share its fate and are not said.
void note_failures(ReloadPlan& plan, const std::vector<AppFailure>& failures);

/// Marks the changes of these pools as cut off.
void note_cut_off(ReloadPlan& plan, const std::vector<std::string>& pools);

/// Why apps failed, one line each.
std::vector<std::string> failure_lines(const ReloadPlan& plan);

/// "generation 7: shop kept, api restarted (env changed), blog added; ready in 0.4 s".
std::string summary(unsigned generation, const ReloadPlan& plan, std::chrono::milliseconds took);

}  // namespace viaduct::daemon::master
