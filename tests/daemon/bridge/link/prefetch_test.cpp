#include "daemon/bridge/link/prefetch.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class PrefetchDecision : public ::testing::Test {
 protected:
  // Requests that took that long, one after the other; returns how many until it was worthwhile.
  int until_worthwhile(Clock::duration taken, int most) {
    for (int i = 0; i < most; ++i) {
      if (prefetch_.worthwhile(now_)) return i;
      now_ += microseconds(10);
      prefetch_.ended(taken, now_);
    }
    return prefetch_.worthwhile(now_) ? most : -1;
  }

  Clock::time_point now_{seconds(1000)};
  Prefetch prefetch_;
};

TEST_F(PrefetchDecision, NothingIsAssumedOfANewWorker) {
  EXPECT_FALSE(prefetch_.worthwhile(now_));
}

TEST_F(PrefetchDecision, ComesWithSomeTwentyBriefRequests) {
  const int brief = until_worthwhile(microseconds(50), 100);
  EXPECT_GT(brief, 10);
  EXPECT_LT(brief, 40);
}

TEST_F(PrefetchDecision, NeverComesWithRequestsThatTakeLonger) {
  EXPECT_EQ(until_worthwhile(Prefetch::kBrief, 10'000), -1);
  EXPECT_EQ(until_worthwhile(seconds(10), 10'000), -1);
}

TEST_F(PrefetchDecision, SlowRequestsEndItForAWhile) {
  ASSERT_GT(until_worthwhile(microseconds(50), 100), 0);
  for (int i = 0; i < 100; ++i) prefetch_.ended(microseconds(50), now_);
  int slow = 0;
  while (prefetch_.worthwhile(now_)) {
    prefetch_.ended(seconds(10), now_);
    ++slow;
  }
  EXPECT_LE(slow, 5);
  EXPECT_GT(until_worthwhile(microseconds(50), 100), 0) << "and it comes back";
}

TEST_F(PrefetchDecision, EndsWhenNothingIsAnsweredAnyMore) {
  ASSERT_GT(until_worthwhile(microseconds(50), 100), 0);
  EXPECT_TRUE(prefetch_.worthwhile(now_ + Prefetch::kRecent));
  EXPECT_FALSE(prefetch_.worthwhile(now_ + Prefetch::kRecent + microseconds(1)));
}

}  // namespace
}  // namespace viaduct::daemon::bridge
