#include "daemon/master/ended_bridges.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using std::chrono::nanoseconds;

constexpr EndedBridges::Clock::time_point kNow{std::chrono::hours(1)};

TEST(EndedBridgesTest, AreKnownForAWhile) {
  EndedBridges ended;
  EXPECT_FALSE(ended.contains(7, kNow));
  ended.add(7, kNow);
  EXPECT_TRUE(ended.contains(7, kNow));
  EXPECT_FALSE(ended.contains(8, kNow));
  EXPECT_TRUE(ended.contains(7, kNow + EndedBridges::kTime - nanoseconds(1)));
  EXPECT_FALSE(ended.contains(7, kNow + EndedBridges::kTime));
  EXPECT_FALSE(ended.contains(7, kNow + EndedBridges::kTime + nanoseconds(1)));
}

TEST(EndedBridgesTest, TheRecentOnesAreNamed) {
  EndedBridges ended;
  ended.add(7, kNow);
  ended.add(8, kNow + EndedBridges::kTime / 2);
  EXPECT_EQ(ended.recent(kNow + EndedBridges::kTime / 2), (std::vector<pid_t>{7, 8}));
  EXPECT_EQ(ended.recent(kNow + EndedBridges::kTime), std::vector<pid_t>{8});
}

TEST(EndedBridgesTest, OfTooManyTheOldestIsForgotten) {
  EndedBridges ended;
  for (pid_t pid = 1; pid < static_cast<pid_t>(EndedBridges::kMax); ++pid) ended.add(pid, kNow);
  EXPECT_TRUE(ended.contains(1, kNow));
  ended.add(1000, kNow);
  EXPECT_TRUE(ended.contains(1, kNow)) << "there is room for that";
  ended.add(1001, kNow);
  EXPECT_FALSE(ended.contains(1, kNow));
  EXPECT_TRUE(ended.contains(2, kNow));
  EXPECT_TRUE(ended.contains(1001, kNow));
}

}  // namespace
}  // namespace viaduct::daemon::master
