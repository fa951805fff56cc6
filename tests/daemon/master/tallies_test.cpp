#include "daemon/master/tallies.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

TEST(TalliesTest, AnAppKeepsItsTallyWhileAnyGenerationHoldsIt) {
  Tallies tallies;
  auto first = tallies.take("shop");
  first->past.requests = 7;
  EXPECT_NE(tallies.take("blog"), first);
  const auto second = tallies.take("shop");
  first.reset();
  EXPECT_EQ(tallies.take("shop"), second);
  EXPECT_EQ(second->past.requests, 7u);
}

TEST(TalliesTest, OneThatNobodyHoldsBeginsAnew) {
  Tallies tallies;
  tallies.take("shop")->past.requests = 7;
  EXPECT_EQ(tallies.take("shop")->past.requests, 0u);
}

}  // namespace
}  // namespace viaduct::daemon::master
