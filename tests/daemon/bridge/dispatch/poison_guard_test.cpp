#include "daemon/bridge/dispatch/poison_guard.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using Routes = std::vector<std::string>;

class PoisonGuardTest : public ::testing::Test {
 protected:
  // A worker dies with one request of each; what closes.
  Routes die(const Routes& routes, int second) {
    std::vector<Suspect> suspects;
    for (const std::string& route : routes) suspects.push_back({route, 1});
    return die_with(suspects, second);
  }
  Routes die_with(const std::vector<Suspect>& suspects, int second) {
    guard.died(++worker, suspects, at(second));
    return judge(worker, second);
  }
  Routes judge(std::uint64_t dead, int second) {
    const auto closing = guard.judge(dead, at(second));
    if (!closing) return {};
    last = *closing;
    return {closing->route};
  }
  static PoisonGuard::Clock::time_point at(int second) {
    return PoisonGuard::Clock::time_point(minutes(60) + seconds(second));
  }

  PoisonGuard guard{config::Poison{}};  // 3 deaths within 60 s, 30 s
  std::uint64_t worker = 0;
  PoisonGuard::Closing last;
};

TEST_F(PoisonGuardTest, ThirdDeathClosesARouteThatWasAlone) {
  EXPECT_EQ(die(Routes{"x"}, 0), Routes{});
  EXPECT_EQ(die(Routes{"x"}, 1), Routes{});
  EXPECT_EQ(die(Routes{"x"}, 2), Routes{"x"});
  EXPECT_EQ(last.duration, seconds(30));
  EXPECT_EQ(last.deaths, 3u);
}

TEST_F(PoisonGuardTest, DeathsCountForAsLongAsConfigured) {
  die(Routes{"x"}, 0);
  die(Routes{"x"}, 30);
  EXPECT_EQ(die(Routes{"x"}, 61), Routes{});
  EXPECT_EQ(die(Routes{"x"}, 90), Routes{"x"});
}

// Deaths until the first route closes, with a culprit in each of them.
TEST_F(PoisonGuardTest, BystandersNeverCloseBeforeTheCulprit) {
  struct Row {
    const char* what;
    std::vector<std::vector<Suspect>> deaths;  // taken in turn
    int expected;
  };
  const Row rows[] = {
      {"alone", {{{"x", 1}}}, 3},
      {"one other, always the same, more often", {{{"x", 1}, {"home", 5}}}, 3},
      {"one other, each time another", {{{"a", 1}, {"x", 1}}, {{"b", 1}, {"x", 1}}}, 3},
      {"two others", {{{"x", 1}, {"home", 5}, {"list", 2}}}, 5},
      {"three others", {{{"home", 5}, {"list", 2}, {"x", 1}, {"buy", 2}}}, 6},
      {"seven others",
       {{{"x", 1}, {"a", 2}, {"b", 2}, {"c", 2}, {"d", 2}, {"e", 2}, {"f", 2}, {"g", 2}}},
       12},
      {"a crowd now and then", {{{"x", 1}}, {{"x", 1}, {"a", 9}, {"b", 9}, {"c", 9}}}, 3},
  };
  for (const Row& row : rows) {
    guard = PoisonGuard{config::Poison{}};
    for (int death = 1;; ++death) {
      ASSERT_LT(death, 50) << row.what;
      const Routes closed =
          die_with(row.deaths[static_cast<std::size_t>(death) % row.deaths.size()], death);
      if (closed.empty()) continue;
      EXPECT_EQ(closed, Routes{"x"}) << row.what;
      EXPECT_EQ(death, row.expected) << row.what;
      break;
    }
  }
}

TEST_F(PoisonGuardTest, DeathsThatAreExplainedCountAgainstNobodyElse) {
  for (int i = 0; i < 2; ++i) die_with({{"x", 1}, {"home", 5}}, i);
  EXPECT_EQ(die_with({{"x", 1}, {"home", 5}}, 2), Routes{"x"});
  die(Routes{"home"}, 3);
  EXPECT_EQ(die(Routes{"home"}, 4), Routes{});
  EXPECT_EQ(die(Routes{"home"}, 5), Routes{"home"});
}

TEST_F(PoisonGuardTest, AnswerOfAnotherWorkerTakesARouteOutOfTheDeath) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(die(Routes{"x", "a", "b", "c"}, i), Routes{});
    for (const char* const route : {"a", "b", "c", "never"}) guard.clear(worker, route);
    guard.clear(worker + 1, "x");
  }
  EXPECT_EQ(die(Routes{"x"}, 3), Routes{"x"});
  guard = PoisonGuard{config::Poison{}};
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(die(Routes{"a"}, i), Routes{});
    guard.clear(worker, "a");
  }
}

TEST_F(PoisonGuardTest, OneDeathMayBeToldInParts) {
  for (std::uint64_t serial = 1; serial <= 3; ++serial) {
    guard.died(serial, {{"home", 2}}, at(0));
    guard.died(serial, {}, at(0));
    guard.died(serial, {{"x", 1}, {"home", 1}}, at(0));
    EXPECT_EQ(judge(serial, 0), serial == 3 ? Routes{"x"} : Routes{});
  }
  EXPECT_EQ(judge(4, 0), Routes{}) << "nothing is known of it";
}

TEST_F(PoisonGuardTest, OpensAgainAndClosesForTwiceAsLongUpToFiveMinutes) {
  for (int i = 0; i < 3; ++i) die(Routes{"x"}, i);
  int now = 2;
  for (const int expected : {30, 60, 120, 240, 300, 300}) {
    EXPECT_EQ(last.duration, seconds(expected));
    EXPECT_EQ(die(Routes{"x"}, now + 1), Routes{}) << "what was still under way";
    now += expected;
    EXPECT_EQ(guard.reopen(at(now - 1)), Routes{});
    EXPECT_EQ(guard.reopen(at(now)), Routes{"x"});
    EXPECT_EQ(guard.reopen(at(now)), Routes{});
    now += 61;  // what was still under way is forgotten
    EXPECT_EQ(die(Routes{"x", "a", "b"}, now - 2), Routes{}) << "only a third of it";
    EXPECT_EQ(die(Routes{"x"}, now - 2), Routes{"x"}) << "on probation";
    now -= 2;
  }
}

TEST_F(PoisonGuardTest, AfterItsProbationARouteStartsAnew) {
  for (int i = 0; i < 3; ++i) die(Routes{"x"}, i);
  EXPECT_EQ(guard.reopen(at(32)), Routes{"x"});
  EXPECT_EQ(guard.reopen(at(92)), Routes{});
  EXPECT_EQ(die(Routes{"x"}, 93), Routes{});
  EXPECT_EQ(die(Routes{"x"}, 94), Routes{});
  EXPECT_EQ(die(Routes{"x"}, 95), Routes{"x"});
  EXPECT_EQ(last.duration, seconds(30));
}

TEST_F(PoisonGuardTest, ZeroInAnyKeyMeansNever) {
  using std::chrono::milliseconds;
  for (const config::Poison& off : {config::Poison{0, seconds(60), seconds(30)},
                                    config::Poison{3, milliseconds(0), seconds(30)},
                                    config::Poison{3, seconds(60), milliseconds(0)}}) {
    guard = PoisonGuard{off};
    for (int i = 0; i < 10; ++i) EXPECT_EQ(die(Routes{"x"}, 0), Routes{});
  }
}

TEST_F(PoisonGuardTest, HostilePathsFindItBounded) {
  for (std::size_t i = 0; i < 2 * PoisonGuard::kMaxDeaths; ++i) {
    EXPECT_EQ(die(Routes{"/" + std::to_string(i)}, 0), Routes{});
  }
  EXPECT_EQ(die(Routes(PoisonGuard::kMaxSuspects + 5, "x"), 0), Routes{});
  guard = PoisonGuard(config::Poison{1, seconds(60), seconds(30)});
  for (std::size_t i = 0; i < PoisonGuard::kMaxRoutes + 10; ++i) {
    const std::string route = "/" + std::to_string(i);
    EXPECT_EQ(die(Routes{route}, 0), Routes{route});
  }
  EXPECT_EQ(guard.reopen(at(30)).size(), PoisonGuard::kMaxRoutes);
}

TEST_F(PoisonGuardTest, RoutesBeyondTheLimitOfADeathStillShareIt) {
  guard = PoisonGuard(config::Poison{1, seconds(60), seconds(30)});
  Routes many;
  for (std::size_t i = 0; i <= PoisonGuard::kMaxSuspects; ++i) many.push_back(std::to_string(i));
  EXPECT_EQ(die(many, 0), Routes{});
  for (std::size_t i = 0; i + 1 < PoisonGuard::kMaxSuspects; ++i) guard.clear(worker, many[i]);
  EXPECT_EQ(judge(worker, 0), Routes{many[PoisonGuard::kMaxSuspects - 1]}) << "half of it";
}

}  // namespace
}  // namespace viaduct::daemon::bridge
