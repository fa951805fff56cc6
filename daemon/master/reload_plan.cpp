#include "daemon/master/reload_plan.hpp"

#include <algorithm>
#include <cstdio>

#include "daemon/config/canary.hpp"
#include "daemon/config/worker_changes.hpp"

namespace viaduct::daemon::master {

namespace {

using config::AppSettings;
using config::Settings;

std::string count_text(const config::Workers& workers) {
  if (workers.min != workers.max) {
    return std::to_string(workers.min) + " to " + std::to_string(workers.max) + " workers";
  }
  return std::to_string(workers.max) + (workers.max == 1 ? " worker" : " workers");
}

// What is said in brackets.
std::string remarks(const AppChange& change) {
  std::string text;
  if (change.kind == AppChange::Kind::restarted) {
    for (const std::string_view reason : change.reasons) {
      if (!text.empty()) text += ", ";
      text += reason;
    }
    if (!text.empty()) text += " changed";
  }
  if (change.undone) {
    if (!text.empty()) text += "; ";
    text += "scale to " + std::to_string(change.undone->scaled.min) +
            " undone: " + count_text(change.undone->configured);
  }
  return text.empty() ? "" : " (" + text + ")";
}

std::string what_became_of(const AppChange& change) {
  if (change.cut_off) return change.app + " failed and cannot be reached";
  switch (change.kind) {
    case AppChange::Kind::kept:
      return change.app + " kept";
    case AppChange::Kind::behind:
      return change.app + " failed and stays as it was";
    case AppChange::Kind::failing:
      return change.app + " added and failing";
    case AppChange::Kind::added:
      return change.app + " added";
    case AppChange::Kind::removed:
      return change.app + " removed";
    case AppChange::Kind::went_back:
      return change.app + " went back to its former workers";
    case AppChange::Kind::restarted:
      break;
  }
  return change.app + " restarted";
}

const AppSettings* find_pool(const std::vector<AppSettings>& pools, const std::string& name) {
  const auto found = std::find_if(pools.begin(), pools.end(), [&](const AppSettings& pool) {
    return config::pool_name(pool) == name;
  });
  return found == pools.end() ? nullptr : &*found;
}

}  // namespace

ReloadPlan plan_reload(const Settings& before, const Settings& after,
                       const std::vector<std::string>& forced) {
  ReloadPlan plan;
  const std::vector<AppSettings> old_pools = config::pools_of(before);
  const std::vector<AppSettings> new_pools = config::pools_of(after);
  for (const AppSettings& app : new_pools) {
    const std::string name = config::pool_name(app);
    const AppSettings* const old = find_pool(old_pools, name);
    if (old == nullptr) {
      plan.push_back({name, AppChange::Kind::added, {}});
      continue;
    }
    auto reasons = config::worker_changes(*old, app);
    const bool asked_for = std::find(forced.begin(), forced.end(), name) != forced.end();
    const bool kept = reasons.empty() && !asked_for;
    const auto kind = kept ? AppChange::Kind::kept : AppChange::Kind::restarted;
    plan.push_back({name, kind, std::move(reasons)});
  }
  for (const AppSettings& app : old_pools) {
    const std::string name = config::pool_name(app);
    if (find_pool(new_pools, name) == nullptr) {
      plan.push_back({name, AppChange::Kind::removed, {}});
    }
  }
  return plan;
}

const AppChange* find_change(const ReloadPlan& plan, const std::string& app) {
  const auto found =
      std::find_if(plan.begin(), plan.end(), [&](const auto& change) { return change.app == app; });
  return found == plan.end() ? nullptr : &*found;
}

void note_failures(ReloadPlan& plan, const std::vector<AppFailure>& failures) {
  for (AppChange& change : plan) {
    const auto failure =
        std::find_if(failures.begin(), failures.end(),
                     [&change](const AppFailure& failed) { return failed.app == change.app; });
    if (failure == failures.end()) continue;
    change.kind = failure->added ? AppChange::Kind::failing : AppChange::Kind::behind;
    change.reasons.clear();
    change.failure = failure->why;
  }
}

void note_cut_off(ReloadPlan& plan, const std::vector<std::string>& pools) {
  for (AppChange& change : plan) {
    change.cut_off = std::find(pools.begin(), pools.end(), change.app) != pools.end();
  }
}

std::vector<std::string> failure_lines(const ReloadPlan& plan) {
  std::vector<std::string> lines;
  for (const AppChange& change : plan) {
    if (!change.failure.empty()) lines.push_back(change.failure);
  }
  return lines;
}

std::string summary(unsigned generation, const ReloadPlan& plan, std::chrono::milliseconds took) {
  std::string line = "generation " + std::to_string(generation) + ": ";
  for (std::size_t i = 0; i < plan.size(); ++i) {
    line += (i == 0 ? "" : ", ") + what_became_of(plan[i]) + remarks(plan[i]);
  }
  char seconds[32];
  std::snprintf(seconds, sizeof(seconds), "%.1f", static_cast<double>(took.count()) / 1000.0);
  return line + "; ready in " + seconds + " s";
}

}  // namespace viaduct::daemon::master
