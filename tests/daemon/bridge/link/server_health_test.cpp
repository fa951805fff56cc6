#include "daemon/bridge/link/server_health.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// At the given time from an arbitrary beginning.
ServerHealth::Clock::time_point at(milliseconds time) {
  return ServerHealth::Clock::time_point(seconds(1000) + time);
}

config::Health policy(std::uint32_t fail, milliseconds interval = milliseconds(0)) {
  return {.interval = interval, .fail = fail, .pass = 2};
}

using Failure = ServerHealth::Failure;

/// A request that it did not answer while other servers are up.
bool fail(ServerHealth& health, ServerHealth::Clock::time_point now) {
  return health.fail(Failure::request, false, now);
}

TEST(ServerHealth, SoManyFailuresInARowBringItDown) {
  ServerHealth health(policy(3));
  EXPECT_TRUE(health.up());
  EXPECT_EQ(health.share(at({})), 1000u);
  EXPECT_FALSE(fail(health, at({})));
  EXPECT_FALSE(fail(health, at({})));
  health.answer();
  EXPECT_FALSE(fail(health, at({})));
  EXPECT_FALSE(fail(health, at({})));
  EXPECT_TRUE(health.up());
  EXPECT_TRUE(fail(health, at({})));
  EXPECT_FALSE(health.up());
  EXPECT_FALSE(fail(health, at({}))) << "it was down before";
}

TEST(ServerHealth, WithoutChecksTimeBringsItBack) {
  ServerHealth health(policy(1));
  ASSERT_TRUE(fail(health, at({})));
  EXPECT_FALSE(health.recover(at(milliseconds(999))));
  EXPECT_TRUE(health.recover(at(milliseconds(1000))));
  EXPECT_TRUE(health.up());
  EXPECT_FALSE(health.recover(at(milliseconds(1001)))) << "it is up";
}

TEST(ServerHealth, WithChecksTheseHaveToPassInARowToo) {
  ServerHealth health(policy(1, seconds(5)));
  ASSERT_TRUE(fail(health, at({})));
  health.pass();
  EXPECT_FALSE(health.recover(at(seconds(5))));
  EXPECT_FALSE(fail(health, at(seconds(5))));
  health.pass();
  EXPECT_FALSE(health.recover(at(seconds(10)))) << "one in a row";
  health.pass();
  EXPECT_TRUE(health.recover(at(seconds(15))));
}

TEST(ServerHealth, ChecksDoNotBringItBackBeforeItsTime) {
  ServerHealth health(policy(1, milliseconds(100)));
  ASSERT_TRUE(fail(health, at({})));
  health.pass();
  health.pass();
  EXPECT_FALSE(health.recover(at(milliseconds(999))));
  EXPECT_TRUE(health.recover(at(milliseconds(1000))));
}

TEST(ServerHealth, TheShareGrowsWithTheTimeSinceItIsBack) {
  ServerHealth health(policy(1));
  ASSERT_TRUE(fail(health, at({})));
  const auto back = seconds(2);
  ASSERT_TRUE(health.recover(at(back)));
  struct Case {
    milliseconds later;
    std::uint32_t share;
  };
  const Case cases[] = {{milliseconds(0), 100},    {milliseconds(1000), 100},
                        {milliseconds(1010), 101}, {milliseconds(5000), 500},
                        {milliseconds(9999), 999}, {milliseconds(10'000), 1000},
                        {seconds(3600), 1000}};
  for (const auto& [later, share] : cases) {
    EXPECT_EQ(health.share(at(back + later)), share) << later.count();
  }
}

TEST(ServerHealth, WhoFailsBeforeTheShareIsWholeStaysDownTwiceAsLong) {
  ServerHealth health(policy(3));
  for (int i = 0; i < 3; ++i) fail(health, at({}));
  milliseconds now{};
  for (const int expected : {1, 2, 4, 8, 16, 30, 30}) {
    EXPECT_FALSE(health.recover(at(now + seconds(expected) - milliseconds(1)))) << expected;
    now += seconds(expected);
    ASSERT_TRUE(health.recover(at(now))) << expected;
    now += seconds(9);
    ASSERT_TRUE(fail(health, at(now))) << "one failure is enough";
  }
}

TEST(ServerHealth, AfterItsWholeShareItBeginsAnew) {
  ServerHealth health(policy(2));
  fail(health, at({}));
  fail(health, at({}));
  ASSERT_TRUE(health.recover(at(seconds(1))));
  ASSERT_TRUE(fail(health, at(seconds(2))));
  ASSERT_TRUE(health.recover(at(seconds(4))));
  EXPECT_FALSE(fail(health, at(seconds(14))));
  EXPECT_TRUE(fail(health, at(seconds(14))));
  EXPECT_TRUE(health.recover(at(seconds(15))));
}

TEST(ServerHealth, TheLastOneUpStaysUpWhateverRequestsItFails) {
  ServerHealth health(policy(2));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(health.fail(Failure::request, true, at({})));
  EXPECT_TRUE(health.up());
  EXPECT_TRUE(fail(health, at({}))) << "another one is up: these failures count";
}

TEST(ServerHealth, TheLastOneIsDownWhenNobodyCanConnect) {
  ServerHealth health(policy(2));
  EXPECT_FALSE(health.fail(Failure::unreachable, true, at({})));
  EXPECT_TRUE(health.fail(Failure::unreachable, true, at({})));
  EXPECT_FALSE(health.up());
}

TEST(ServerHealth, AnAnswerBringsItBackBeforeItsTime) {
  ServerHealth health(policy(1, seconds(5)));
  EXPECT_FALSE(health.revive(at({}))) << "it is up";
  ASSERT_TRUE(health.fail(Failure::unreachable, true, at({})));
  EXPECT_TRUE(health.revive(at(milliseconds(1))));
  EXPECT_TRUE(health.up());
  EXPECT_EQ(health.share(at(milliseconds(1))), ServerHealth::kLeast);
  EXPECT_FALSE(health.revive(at(milliseconds(1)))) << "it is up";
}

TEST(ServerHealth, OneOfManyThreadsHearsThatItIsDown) {
  for (int round = 0; round < 200; ++round) {
    ServerHealth health(policy(4));
    std::atomic<int> told = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 4; ++k) told += fail(health, at({})) ? 1 : 0;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(told, 1);
    EXPECT_FALSE(health.up());
    EXPECT_TRUE(health.recover(at(seconds(1))));
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge
