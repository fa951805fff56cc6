#include "daemon/master/token_bucket.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using namespace std::chrono_literals;
using Clock = TokenBucket::Clock;

const Clock::time_point kStart = Clock::time_point{} + 1000h;

TEST(TokenBucketTest, EmptiesAndFills) {
  struct Row {
    std::chrono::milliseconds at;
    double spent;  // before the look
    bool empty;    // behind it
    std::chrono::milliseconds wait;
  };
  // Ten a second, five at most.
  const Row rows[] = {
      {0ms, 0, false, 0ms},       {0ms, 4, false, 0ms},         {0ms, 1, true, 100ms},
      {50ms, 0, true, 50ms},      {100ms, 0, false, 0ms},       {100ms, 1, true, 100ms},
      {199ms, 0, true, 1ms},      {200ms, 0, false, 0ms},       {10'000ms, 0, false, 0ms},
      {10'000ms, 5, true, 100ms}, {10'000ms, 10, true, 1100ms}, {11'099ms, 0, true, 1ms},
      {11'100ms, 0, false, 0ms},
  };
  TokenBucket bucket(10, 5);
  for (const Row& row : rows) {
    const auto now = kStart + row.at;
    if (row.spent > 0) bucket.spend(row.spent, now);
    EXPECT_EQ(bucket.empty(now), row.empty) << row.at.count();
    // Binary fractions of seconds are off by less than one.
    const auto wait = bucket.wait(now);
    EXPECT_GE(wait, row.wait) << row.at.count();
    EXPECT_LE(wait, row.wait + 1ms) << row.at.count();
  }
}

TEST(TokenBucketTest, TimeThatRunsBackwardsAddsNothing) {
  TokenBucket bucket(1, 1);
  bucket.spend(1, kStart);
  EXPECT_TRUE(bucket.empty(kStart - 1h));
  bucket.spend(0, kStart - 1h);
  EXPECT_TRUE(bucket.empty(kStart));
  EXPECT_FALSE(bucket.empty(kStart + 1s));
}

TEST(TokenBucketTest, NoMoreThanRateTimesTimeAndWhatItHeld) {
  TokenBucket bucket(100, 20);
  int events = 0;
  for (auto passed = 0ms; passed < 10s; passed += 1ms) {
    while (!bucket.empty(kStart + passed)) {
      bucket.spend(1, kStart + passed);
      ++events;
    }
  }
  EXPECT_LE(events, 100 * 10 + 20);
  EXPECT_GE(events, 100 * 10 - 1);
}

}  // namespace
}  // namespace viaduct::daemon::master
