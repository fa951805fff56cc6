#include "daemon/bridge/front/patience.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using std::chrono::seconds;
using Verdict = Patience::Verdict;

class PatienceTest : public ::testing::Test {
 protected:
  Verdict at(int second, bool busy, bool between) {
    return patience_.tick(start_ + seconds(second), busy, between);
  }
  const Clock::time_point start_ = Clock::time_point(seconds(1000));
  Patience patience_{true, start_};
};

TEST_F(PatienceTest, AHeadMayTakeAMinute) {
  EXPECT_EQ(at(10, false, false), Verdict::wait);
  EXPECT_EQ(at(70, false, false), Verdict::wait);
  EXPECT_EQ(at(71, false, false), Verdict::slow_head);
}

TEST_F(PatienceTest, AnHttpClientMayBeIdleForAWhile) {
  EXPECT_EQ(at(75, false, true), Verdict::wait);
  EXPECT_EQ(at(76, false, true), Verdict::unused);
}

TEST_F(PatienceTest, AHeadThatBeginsLateHasItsTime) {
  EXPECT_EQ(at(74, false, true), Verdict::wait);
  EXPECT_EQ(at(76, false, false), Verdict::wait);
  EXPECT_EQ(at(136, false, false), Verdict::wait);
  EXPECT_EQ(at(137, false, false), Verdict::slow_head);
}

TEST_F(PatienceTest, RequestsBetweenTwoLooksCount) {
  EXPECT_EQ(at(60, false, true), Verdict::wait);
  patience_.request_began(start_ + seconds(100));
  EXPECT_EQ(at(101, false, true), Verdict::wait);
  EXPECT_EQ(at(175, false, true), Verdict::wait);
  EXPECT_EQ(at(176, false, true), Verdict::unused);
}

TEST_F(PatienceTest, ARequestMayTakeAnyTime) {
  for (int second = 0; second < 1000; second += 50) {
    EXPECT_EQ(at(second, true, true), Verdict::wait);
    EXPECT_EQ(at(second + 1, true, false), Verdict::wait);
  }
  EXPECT_EQ(at(1000, false, true), Verdict::wait);
}

TEST_F(PatienceTest, FrontServersKeepConnectionsAsLongAsTheyLike) {
  Patience front(false, start_);
  EXPECT_EQ(front.tick(start_ + seconds(100'000), false, true), Verdict::wait);
  EXPECT_EQ(front.tick(start_ + seconds(100'001), false, false), Verdict::wait);
  EXPECT_EQ(front.tick(start_ + seconds(100'062), false, false), Verdict::slow_head);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
