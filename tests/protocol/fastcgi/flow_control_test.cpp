#include "protocol/fastcgi/flow_control.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace viaduct::protocol::fastcgi {
namespace {

constexpr std::uint32_t kWindow = kMinWindow;

TEST(SendCredit, UnlimitedWithoutFlowControl) {
  SendCredit credit;
  credit.spend(UINT32_MAX);
  EXPECT_EQ(credit.available(), UINT32_MAX);
  EXPECT_TRUE(credit.grant(1));
  EXPECT_TRUE(credit.grant(0));
}

TEST(SendCredit, StopsAtZeroAndGoesOnWithAnyCredit) {
  SendCredit credit(kWindow);
  EXPECT_EQ(credit.available(), kWindow);
  credit.spend(kWindow - 1);
  EXPECT_EQ(credit.available(), 1u);
  credit.spend(1);
  EXPECT_EQ(credit.available(), 0u);
  EXPECT_TRUE(credit.grant(7));
  EXPECT_EQ(credit.available(), 7u);
}

TEST(SendCredit, GrantsThatAreErrors) {
  struct Case {
    std::uint32_t spent;
    std::uint32_t granted;
    bool valid;
  };
  for (const Case test : {Case{100, 0, false}, Case{100, 99, true}, Case{100, 100, true},
                          Case{100, 101, false}, Case{0, 1, false}, Case{kWindow, kWindow, true},
                          Case{kWindow, kWindow + 1, false}, Case{kWindow, UINT32_MAX, false}}) {
    SendCredit credit(kWindow);
    credit.spend(test.spent);
    EXPECT_EQ(credit.grant(test.granted), test.valid) << test.spent << " " << test.granted;
  }
}

TEST(ReceiveCredit, UnlimitedWithoutFlowControl) {
  ReceiveCredit credit;
  EXPECT_TRUE(credit.received(UINT32_MAX));
  EXPECT_TRUE(credit.received(UINT32_MAX));
  credit.passed_on(5);
  EXPECT_EQ(credit.take_due(), 0u);
  EXPECT_EQ(credit.held(), 0u);
}

TEST(ReceiveCredit, MoreThanTheWindowIsAnError) {
  ReceiveCredit credit(kWindow);
  EXPECT_TRUE(credit.received(kWindow - 1));
  EXPECT_FALSE(credit.received(2));
  EXPECT_TRUE(credit.received(1));
  EXPECT_FALSE(credit.received(1));
  EXPECT_FALSE(credit.received(UINT32_MAX));
}

TEST(ReceiveCredit, WhatIsPassedOnButNotReturnedStillCounts) {
  ReceiveCredit credit(kWindow);
  EXPECT_TRUE(credit.received(kWindow));
  credit.passed_on(100);
  EXPECT_FALSE(credit.received(1));
}

TEST(ReceiveCredit, DueAtHalfAWindowOrWhenNothingIsHeld) {
  struct Case {
    std::uint32_t received;
    std::uint32_t passed_on;
    std::uint32_t due;
  };
  for (const Case test :
       {Case{100, 0, 0}, Case{100, 99, 0}, Case{100, 100, 100}, Case{kWindow, kWindow / 2 - 1, 0},
        Case{kWindow, kWindow / 2, kWindow / 2}, Case{kWindow, kWindow / 2 + 1, kWindow / 2 + 1},
        Case{kWindow, kWindow, kWindow}}) {
    ReceiveCredit credit(kWindow);
    ASSERT_TRUE(credit.received(test.received));
    credit.passed_on(test.passed_on);
    EXPECT_EQ(credit.held(), test.received - test.passed_on);
    EXPECT_EQ(credit.take_due(), test.due) << test.received << " " << test.passed_on;
    EXPECT_EQ(credit.take_due(), 0u);
  }
}

// Whatever the sizes, a sender with data and a receiver that passes on never wait for each other.
TEST(FlowControl, NeverDeadlocksAndNeverExceedsTheWindow) {
  for (const std::uint32_t portion : {1u, 1000u, 5000u, kWindow, 3 * kWindow}) {
    SendCredit sender(kWindow);
    ReceiveCredit receiver(kWindow);
    std::uint64_t left = 40ull * kWindow + 3;
    while (left > 0) {
      const auto size = static_cast<std::uint32_t>(
          std::min<std::uint64_t>({left, sender.available(), std::uint64_t{portion}}));
      ASSERT_GT(size, 0u);
      sender.spend(size);
      ASSERT_TRUE(receiver.received(size));
      left -= size;
      receiver.passed_on(size);
      if (const std::uint32_t due = receiver.take_due()) {
        ASSERT_TRUE(sender.grant(due));
      }
    }
    EXPECT_EQ(receiver.held(), 0u);
    EXPECT_EQ(sender.available(), kWindow);
  }
}

}  // namespace
}  // namespace viaduct::protocol::fastcgi
