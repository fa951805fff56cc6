#include "daemon/master/reload_plan.hpp"

#include <algorithm>
#include <cstdio>

#include "daemon/config/worker_changes.hpp"

namespace viaduct::daemon::master {

namespace {

using config::AppSettings;
using config::Settings;

std::string text(const AppChange& change) {
  switch (change.kind) {
    case AppChange::Kind::kept:
      return change.app + " kept";
    case AppChange::Kind::added:
      return change.app + " added";
    case AppChange::Kind::removed:
      return change.app + " removed";
    case AppChange::Kind::restarted:
      break;
  }
  if (change.reasons.empty()) return change.app + " restarted";
  std::string reasons;
  for (const std::string_view reason : change.reasons) {
    if (!reasons.empty()) reasons += ", ";
    reasons += reason;
  }
  return change.app + " restarted (" + reasons + " changed)";
}

}  // namespace

ReloadPlan plan_reload(const Settings& before, const Settings& after,
                       const std::vector<std::string>& forced) {
  ReloadPlan plan;
  for (const AppSettings& app : after.apps) {
    const AppSettings* old = find_app(before, app.name);
    if (old == nullptr) {
      plan.push_back({app.name, AppChange::Kind::added, {}});
      continue;
    }
    auto reasons = config::worker_changes(*old, app);
    const bool asked_for = std::find(forced.begin(), forced.end(), app.name) != forced.end();
    const bool kept = reasons.empty() && !asked_for;
    const auto kind = kept ? AppChange::Kind::kept : AppChange::Kind::restarted;
    plan.push_back({app.name, kind, std::move(reasons)});
  }
  for (const AppSettings& app : before.apps) {
    if (find_app(after, app.name) == nullptr) {
      plan.push_back({app.name, AppChange::Kind::removed, {}});
    }
  }
  return plan;
}

std::string summary(unsigned generation, const ReloadPlan& plan, std::chrono::milliseconds took) {
  std::string line = "generation " + std::to_string(generation) + ": ";
  for (std::size_t i = 0; i < plan.size(); ++i) line += (i == 0 ? "" : ", ") + text(plan[i]);
  char seconds[32];
  std::snprintf(seconds, sizeof(seconds), "%.1f", static_cast<double>(took.count()) / 1000.0);
  return line + "; ready in " + seconds + " s";
}

}  // namespace viaduct::daemon::master
