#include "daemon/master/reload_verdict.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::daemon::master {

namespace {

using Kind = Verdict::Kind;

bool has(const std::vector<AppFailure>& failures, const std::string& app) {
  return std::any_of(failures.begin(), failures.end(),
                     [&app](const AppFailure& failure) { return failure.app == app; });
}

// One for each app, the first that was found.
std::vector<AppFailure> failures_of(const std::vector<PoolProgress>& pools) {
  std::vector<AppFailure> failures;
  for (const PoolProgress& pool : pools) {
    if (pool.failure.empty() || has(failures, pool.app)) continue;
    failures.push_back({pool.app, pool.pool + ": " + pool.failure, pool.added});
  }
  return failures;
}

}  // namespace

Verdict judge(const std::vector<PoolProgress>& pools, bool bridge, ReloadOrder::Kind order) {
  std::vector<AppFailure> failures = failures_of(pools);
  if (!failures.empty() && order != ReloadOrder::Kind::keep_going) {
    return {Kind::refuse, std::move(failures)};
  }
  const bool settled = std::all_of(pools.begin(), pools.end(), [](const PoolProgress& pool) {
    return pool.ready || !pool.failure.empty();
  });
  if (!bridge || !settled) return {Kind::wait, {}};
  const bool only_added = std::all_of(failures.begin(), failures.end(),
                                      [](const AppFailure& failure) { return failure.added; });
  if (only_added) return {Kind::promote, std::move(failures)};
  std::erase_if(failures, [](const AppFailure& failure) { return failure.added; });
  return {Kind::leave_out, std::move(failures)};
}

AppsBehind next_behind(AppsBehind before, const ReloadOrder& order, const ReloadPlan& plan,
                       const std::string& went_back) {
  const bool applied = went_back.empty();
  std::erase_if(before, [&](const auto& app) { return applied && order.applies(app.first); });
  for (const AppChange& change : plan) {
    const bool canary = change.app.find('/') != std::string::npos;
    if (canary) continue;
    if (change.kind == AppChange::Kind::behind) before[change.app] = change.failure;
    // The same settings with other workers are no older than before.
    const bool other_settings = !change.reasons.empty();
    if (change.kind == AppChange::Kind::went_back && other_settings) before[change.app] = went_back;
    if (change.kind == AppChange::Kind::removed) before.erase(change.app);
  }
  return before;
}

}  // namespace viaduct::daemon::master
