#include "daemon/log/rate_limit.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::log {
namespace {

using namespace std::chrono_literals;
const RateLimit::Clock::time_point kStart{};

TEST(RateLimitTest, WritesUpToTheLimitThenCounts) {
  RateLimit limit(2, 10s, 4);
  EXPECT_TRUE(limit.admit("a", kStart).write);
  EXPECT_TRUE(limit.admit("a", kStart + 1s).write);
  EXPECT_FALSE(limit.admit("a", kStart + 2s).write);
  EXPECT_FALSE(limit.admit("a", kStart + 10s - 1ns).write);
  const auto next = limit.admit("a", kStart + 10s);
  EXPECT_TRUE(next.write);
  EXPECT_EQ(next.suppressed, 2u);
  EXPECT_EQ(limit.admit("a", kStart + 11s).suppressed, 0u);
}

TEST(RateLimitTest, KeysDoNotShareAnAllowance) {
  RateLimit limit(1, 10s, 4);
  EXPECT_TRUE(limit.admit("a", kStart).write);
  EXPECT_TRUE(limit.admit("b", kStart).write);
  EXPECT_FALSE(limit.admit("a", kStart).write);
}

TEST(RateLimitTest, TooManyKeysShareOneAllowance) {
  RateLimit limit(1, 10s, 2);
  EXPECT_TRUE(limit.admit("a", kStart).write);
  EXPECT_TRUE(limit.admit("b", kStart).write);
  limit.admit("c", kStart + 1s);
  EXPECT_FALSE(limit.admit("d", kStart + 1s).write) << "shares the allowance of c";
  EXPECT_TRUE(limit.admit("d", kStart + 10s).write) << "finished windows made room";
}

}  // namespace
}  // namespace viaduct::daemon::log
