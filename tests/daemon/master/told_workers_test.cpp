#include "daemon/master/told_workers.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

constexpr std::uint64_t kAsked = 1;
constexpr std::uint64_t kReady = 2;
constexpr std::uint64_t kUnknown = 3;

class ToldWorkersTest : public testing::Test {
 protected:
  ToldWorkersTest() {
    EXPECT_TRUE(told_.add(kAsked, true));
    EXPECT_TRUE(told_.add(kReady, false));
  }
  ToldWorkers told_;
};

TEST_F(ToldWorkersTest, AnAnswerCountsFromWhoWasToldToAsk) {
  EXPECT_TRUE(told_.asks(kAsked));
  EXPECT_FALSE(told_.asks(kReady)) << "it was told that the worker is ready";
  EXPECT_FALSE(told_.asks(kUnknown)) << "another bridge asks that one";
}

TEST_F(ToldWorkersTest, AnAnswerThatComesLateCounts) {
  // Ready by another's word meanwhile, and it is told that it may drain.
  EXPECT_FALSE(told_.add(kAsked, false)) << "not told again";
  EXPECT_TRUE(told_.leave(kAsked));
  EXPECT_TRUE(told_.asks(kAsked));
  // But not once the worker, or the bridge, is another.
  EXPECT_TRUE(told_.remove(kAsked));
  EXPECT_FALSE(told_.asks(kAsked));
  EXPECT_TRUE(told_.add(kAsked, true));
  told_.clear();
  EXPECT_FALSE(told_.asks(kAsked));
}

TEST_F(ToldWorkersTest, AWorkerIsLeftOnce) {
  EXPECT_TRUE(told_.may_use(kReady));
  EXPECT_TRUE(told_.leave(kReady));
  EXPECT_FALSE(told_.leave(kReady));
  EXPECT_FALSE(told_.may_use(kReady));
  EXPECT_TRUE(told_.knows(kReady)) << "until it has ended";
  EXPECT_FALSE(told_.leave(kUnknown));
  EXPECT_FALSE(told_.may_use(kUnknown));
}

TEST_F(ToldWorkersTest, WhatHasEndedIsUnknown) {
  EXPECT_TRUE(told_.remove(kReady));
  EXPECT_FALSE(told_.remove(kReady));
  EXPECT_FALSE(told_.knows(kReady));
}

}  // namespace
}  // namespace viaduct::daemon::master
