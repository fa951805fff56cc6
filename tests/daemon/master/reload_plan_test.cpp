#include "daemon/master/reload_plan.hpp"

#include <functional>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using config::AppSettings;
using config::Settings;
using Kind = AppChange::Kind;

AppSettings app(const std::string& name) {
  AppSettings result;
  result.name = name;
  result.command = {"/srv/" + name};
  result.executable = "/srv/" + name;
  result.command_file = config::CommandFile{1, 2, 3, 4};
  return result;
}

Settings with(std::vector<AppSettings> apps) {
  Settings settings;
  settings.apps = std::move(apps);
  return settings;
}

TEST(ReloadPlanTest, NamesWhatIsKeptRestartedAddedRemoved) {
  AppSettings changed = app("api");
  changed.env = {{"A", "1"}};
  const ReloadPlan plan = plan_reload(with({app("shop"), app("api"), app("old")}),
                                      with({app("shop"), changed, app("blog")}));
  EXPECT_EQ(plan, (ReloadPlan{{"shop", Kind::kept, {}},
                              {"api", Kind::restarted, {"env"}},
                              {"blog", Kind::added, {}},
                              {"old", Kind::removed, {}}}));
  EXPECT_EQ(summary(7, plan, std::chrono::milliseconds(412)),
            "generation 7: shop kept, api restarted (env changed), blog added, old removed; "
            "ready in 0.4 s");
}

TEST(ReloadPlanTest, ForcedAppsRestartWhetherTheyHaveChangedOrNot) {
  AppSettings changed = app("api");
  changed.env = {{"A", "1"}};
  const ReloadPlan plan = plan_reload(with({app("shop"), app("api"), app("old"), app("wiki")}),
                                      with({app("shop"), changed, app("blog"), app("wiki")}),
                                      {"shop", "api", "blog", "old", "unknown"});
  EXPECT_EQ(plan, (ReloadPlan{{"shop", Kind::restarted, {}},
                              {"api", Kind::restarted, {"env"}},
                              {"blog", Kind::added, {}},
                              {"wiki", Kind::kept, {}},
                              {"old", Kind::removed, {}}}));
  EXPECT_EQ(summary(2, plan, std::chrono::milliseconds(60)),
            "generation 2: shop restarted, api restarted (env changed), blog added, wiki kept, old "
            "removed; ready in 0.1 s");
}

TEST(ReloadPlanTest, CanariesRestartByThemselves) {
  AppSettings shop = app("shop");
  shop.canary = config::CanarySettings{{"/srv/next"}, "/srv/next", std::nullopt, nullptr, 500, ""};
  EXPECT_EQ(plan_reload(with({app("shop")}), with({shop})),
            (ReloadPlan{{"shop", Kind::kept, {}}, {"shop/canary", Kind::added, {}}}));
  AppSettings other = shop;
  other.canary->command = {"/srv/next", "--more"};
  EXPECT_EQ(plan_reload(with({shop}), with({other})),
            (ReloadPlan{{"shop", Kind::kept, {}}, {"shop/canary", Kind::restarted, {"command"}}}));
  EXPECT_EQ(plan_reload(with({shop}), with({app("shop")})),
            (ReloadPlan{{"shop", Kind::kept, {}}, {"shop/canary", Kind::removed, {}}}));
}

TEST(ReloadPlanTest, GoingBackIsSaid) {
  const ReloadPlan plan{{"shop", Kind::went_back, {"env"}}, {"api", Kind::kept, {}}};
  EXPECT_EQ(summary(9, plan, std::chrono::milliseconds(0)),
            "generation 9: shop went back to its former workers, api kept; ready in 0.0 s");
}

TEST(ReloadPlanTest, OnlyWhatAWorkerWasMadeFromRestartsIt) {
  struct Row {
    const char* reason;  // "": kept
    std::function<void(AppSettings&)> change;
  };
  const Row rows[] = {
      {"command", [](AppSettings& a) { a.command.emplace_back("-v"); }},
      {"binary", [](AppSettings& a) { a.command_file->mtime_ns = 5; }},
      {"directory", [](AppSettings& a) { a.directory = "/srv"; }},
      {"env",
       [](AppSettings& a) {
         a.env_file_values = {{"B", "2"}};
       }},
      {"user", [](AppSettings& a) { a.identity.account.uid = 12; }},
      {"umask", [](AppSettings& a) { a.umask = 077; }},
      {"",
       [](AppSettings& a) {
         a.workers = {7, 7};
       }},
      {"", [](AppSettings& a) { a.timeouts.stop = std::chrono::milliseconds(1); }},
      {"", [](AppSettings& a) { a.limits.queue = 1; }},
  };
  for (const Row& row : rows) {
    AppSettings after = app("shop");
    row.change(after);
    const ReloadPlan plan = plan_reload(with({app("shop")}), with({after}));
    ASSERT_EQ(plan.size(), 1u);
    const bool kept = row.reason == std::string();
    EXPECT_EQ(plan[0].kind, kept ? Kind::kept : Kind::restarted) << row.reason;
    if (!kept) {
      EXPECT_EQ(plan[0].reasons, std::vector<std::string_view>{row.reason});
    }
  }
}

TEST(ReloadPlanTest, AppsThatFailAreSaidWithTheirReasons) {
  ReloadPlan plan{{"shop", Kind::restarted, {"env"}},
                  {"api", Kind::kept, {}},
                  {"blog", Kind::added, {}},
                  {"api/canary", Kind::kept, {}}};
  note_failures(plan, {{"api", "api/canary: no", false}, {"blog", "blog: nor this", true}});
  EXPECT_EQ(
      summary(3, plan, std::chrono::milliseconds(100)),
      "generation 3: shop restarted (env changed), api failed and stays as it was, blog added "
      "and failing, api/canary kept; ready in 0.1 s");
  EXPECT_EQ(failure_lines(plan), (std::vector<std::string>{"api/canary: no", "blog: nor this"}));
}

TEST(ReloadPlanTest, AppsThatCannotBeReachedAreNotSaidToStay) {
  ReloadPlan plan{{"shop", Kind::restarted, {}},
                  {"api", Kind::kept, {}},
                  {"blog", Kind::kept, {}},
                  {"api/canary", Kind::kept, {}}};
  note_failures(plan, {{"api", "api: no", false}, {"blog", "blog: no", false}});
  note_cut_off(plan, {"api", "api/canary"});
  EXPECT_EQ(summary(3, plan, std::chrono::milliseconds(100)),
            "generation 3: shop restarted, api failed and cannot be reached, blog failed and stays "
            "as it was, api/canary failed and cannot be reached; ready in 0.1 s");
  EXPECT_EQ(failure_lines(plan), (std::vector<std::string>{"api: no", "blog: no"}));
}

TEST(ReloadPlanTest, NumbersSetByHandThatEndAreSaid) {
  struct Row {
    AppChange change;
    const char* text;
  };
  const UndoneScale fixed{{.min = 5, .max = 5}, {.min = 1, .max = 1}};
  const UndoneScale range{{.min = 4, .max = 8}, {.min = 2, .max = 8}};
  const Row rows[] = {
      {{"shop", Kind::kept, {}, "", fixed}, "shop kept (scale to 5 undone: 1 worker)"},
      {{"shop", Kind::kept, {}, "", range}, "shop kept (scale to 4 undone: 2 to 8 workers)"},
      {{"shop", Kind::restarted, {"env"}, "", fixed},
       "shop restarted (env changed; scale to 5 undone: 1 worker)"},
      {{"shop", Kind::went_back, {}, "", fixed},
       "shop went back to its former workers (scale to 5 undone: 1 worker)"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(summary(1, {row.change}, std::chrono::milliseconds(0)),
              "generation 1: " + std::string(row.text) + "; ready in 0.0 s");
  }
}

TEST(ReloadPlanTest, SeveralReasonsAreListed) {
  const ReloadPlan plan = {{"api", Kind::restarted, {"command", "env"}}};
  EXPECT_EQ(summary(2, plan, std::chrono::milliseconds(1950)),
            "generation 2: api restarted (command, env changed); ready in 1.9 s");
}

}  // namespace
}  // namespace viaduct::daemon::master
