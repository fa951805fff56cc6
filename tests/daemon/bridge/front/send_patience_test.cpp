#include "daemon/bridge/front/send_patience.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLimit{8000};

class SendPatienceTest : public ::testing::Test {
 protected:
  SendPatienceTest() { patience_.restart(at(0)); }
  static Clock::time_point at(int ms) {
    return Clock::time_point(std::chrono::hours(1)) + milliseconds(ms);
  }
  SendPatience patience_{kLimit};
};

TEST_F(SendPatienceTest, LooksEveryEighth) {
  EXPECT_FALSE(patience_.due(at(999)));
  EXPECT_TRUE(patience_.due(at(1000)));
  EXPECT_FALSE(patience_.expired(at(1000), 5000));
  EXPECT_FALSE(patience_.due(at(1999)));
  EXPECT_TRUE(patience_.due(at(2000)));
}

TEST_F(SendPatienceTest, ExpiresWhenNothingIsTaken) {
  EXPECT_FALSE(patience_.expired(at(1000), 5000));
  EXPECT_FALSE(patience_.expired(at(7999), 5000));
  EXPECT_TRUE(patience_.expired(at(8000), 5000));
}

TEST_F(SendPatienceTest, AReaderOfALargeBufferHasItsTime) {
  for (int ms = 1000; ms < 100'000; ms += 1000) {
    EXPECT_FALSE(patience_.expired(at(ms), static_cast<std::uint64_t>(200'000 - ms))) << ms;
  }
  for (int ms = 100'000; ms < 107'000; ms += 1000) {
    EXPECT_FALSE(patience_.expired(at(ms), 101'000)) << ms;
  }
  EXPECT_TRUE(patience_.expired(at(107'000), 101'000));
}

TEST_F(SendPatienceTest, BytesThatTheSocketTakesBeginAnew) {
  EXPECT_FALSE(patience_.expired(at(7000), 5000));
  patience_.restart(at(7500));
  // The buffer is fuller than at the last look, of which nothing is known any more.
  EXPECT_FALSE(patience_.expired(at(8500), 9000));
  EXPECT_FALSE(patience_.expired(at(15'499), 9000));
  EXPECT_TRUE(patience_.expired(at(15'500), 9000));
}

TEST_F(SendPatienceTest, LimitsOfRequests) {
  struct Case {
    milliseconds before, begun;
    bool alone;
    milliseconds then;
  };
  const milliseconds none{0};
  for (const auto& [before, begun, alone, then] : std::initializer_list<Case>{
           {kLimit, kLimit / 2, true, kLimit / 2},
           {kLimit, kLimit / 2, false, kLimit},
           {kLimit, kLimit * 2, false, kLimit * 2},
           {kLimit, none, true, none},
           {kLimit, none, false, none},
           {none, kLimit, false, none},
           {none, kLimit, true, kLimit},
       }) {
    SendPatience patience(before);
    patience.begin(begun, alone);
    patience.restart(at(0));
    EXPECT_EQ(patience.due(at(1'000'000)), then != none);
    if (then == none) continue;
    EXPECT_FALSE(patience.expired(at(static_cast<int>(then.count()) - 1), 1));
    EXPECT_TRUE(patience.expired(at(static_cast<int>(then.count())), 1));
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge
