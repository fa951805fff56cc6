#include "daemon/master/reload_verdict.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using Order = ReloadOrder::Kind;
using Kind = Verdict::Kind;

const PoolProgress kReady{"shop", "shop", false, true, ""};
const PoolProgress kStarting{"wiki", "wiki", false, false, ""};
const PoolProgress kFailed{"api", "api", false, false, "no"};
const PoolProgress kCanaryFailed{"api/canary", "api", false, false, "nor this"};
const PoolProgress kAdded{"blog", "blog", true, true, ""};
const PoolProgress kAddedFailed{"blog", "blog", true, false, "never"};

const AppFailure kApi{"api", "api: no", false};
const AppFailure kApiCanary{"api", "api/canary: nor this", false};
const AppFailure kBlog{"blog", "blog: never", true};

TEST(ReloadVerdictTest, OneFailureEndsWhatIsAllOrNothing) {
  struct Row {
    std::vector<PoolProgress> pools;
    bool bridge;
    Verdict verdict;
  };
  const Row rows[] = {
      {{}, false, {Kind::wait, {}}},
      {{}, true, {Kind::promote, {}}},
      {{kReady, kAdded}, true, {Kind::promote, {}}},
      {{kReady, kAdded}, false, {Kind::wait, {}}},
      {{kReady, kStarting}, true, {Kind::wait, {}}},
      {{kReady, kStarting, kFailed}, true, {Kind::refuse, {kApi}}},
      {{kStarting, kFailed}, false, {Kind::refuse, {kApi}}},
      {{kAddedFailed, kFailed}, true, {Kind::refuse, {kBlog, kApi}}},
      {{kCanaryFailed}, true, {Kind::refuse, {kApiCanary}}},
  };
  for (const Order order : {Order::whole, Order::app, Order::restart}) {
    for (const Row& row : rows) EXPECT_EQ(judge(row.pools, row.bridge, order), row.verdict);
  }
}

TEST(ReloadVerdictTest, KeepGoingWaitsForAllAndLeavesOutWhatFailed) {
  struct Row {
    std::vector<PoolProgress> pools;
    bool bridge;
    Verdict verdict;
  };
  const Row rows[] = {
      {{kReady}, true, {Kind::promote, {}}},
      {{kReady, kFailed}, false, {Kind::wait, {}}},
      {{kReady, kFailed, kStarting}, true, {Kind::wait, {}}},
      {{kReady, kFailed}, true, {Kind::leave_out, {kApi}}},
      {{kFailed, kCanaryFailed}, true, {Kind::leave_out, {kApi}}},
      {{kReady, kCanaryFailed}, true, {Kind::leave_out, {kApiCanary}}},
      {{kReady, kAddedFailed}, true, {Kind::promote, {kBlog}}},
      {{kFailed, kAddedFailed}, true, {Kind::leave_out, {kApi}}},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(judge(row.pools, row.bridge, Order::keep_going), row.verdict);
  }
}

TEST(ReloadVerdictTest, AppsAreBehindUntilAReloadAppliesThem) {
  using Change = AppChange::Kind;
  struct Row {
    ReloadOrder order;
    ReloadPlan plan;
    AppsBehind after;
  };
  const AppsBehind before{{"api", "api: no"}, {"old", "old: no"}};
  const Row rows[] = {
      {{Order::whole}, {{"api", Change::kept, {}}}, {}},
      {{Order::keep_going}, {{"api", Change::behind, {}, "again"}}, {{"api", "again"}}},
      {{Order::keep_going}, {{"blog", Change::failing, {}, "never"}}, {}},
      {{Order::app, "api"}, {{"api", Change::restarted, {}}}, {{"old", "old: no"}}},
      {{Order::app, "shop"}, {{"shop", Change::restarted, {}}}, before},
      {{Order::restart, "api"}, {{"api", Change::restarted, {}}}, before},
      {{Order::whole}, {{"api", Change::removed, {}}, {"old", Change::removed, {}}}, {}},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(next_behind(before, row.order, row.plan, ""), row.after);
  }
  const ReloadPlan back{{"shop", Change::went_back, {"env"}},
                        {"wiki", Change::went_back, {}},  // restarted with the same settings
                        {"shop/canary", Change::went_back, {"env"}}};
  EXPECT_EQ(next_behind(before, {}, back, "5 of 5"),
            (AppsBehind{{"api", "api: no"}, {"old", "old: no"}, {"shop", "5 of 5"}}));
}

}  // namespace
}  // namespace viaduct::daemon::master
