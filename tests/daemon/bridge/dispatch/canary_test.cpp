#include "daemon/bridge/dispatch/canary.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

int taken_of(int requests, std::uint32_t share) {
  config::BridgeApp settings;
  settings.canary_share = share;
  Canary canary(settings, 1);
  const protocol::Pairs params;
  int taken = 0;
  for (int i = 0; i < requests; ++i) taken += canary.takes(params) ? 1 : 0;
  return taken;
}

TEST(Canary, ShareIsTakenByChance) {
  EXPECT_EQ(taken_of(100'000, 0), 0);
  EXPECT_EQ(taken_of(100'000, config::kWholeShare), 100'000);
  EXPECT_NEAR(taken_of(100'000, 500), 5'000, 500);
  EXPECT_NEAR(taken_of(1'000'000, 1), 100, 60);
}

TEST(Canary, VariableDecidesWhateverTheShare) {
  config::BridgeApp settings;
  settings.canary_variable = "HTTP_X_CANARY";
  Canary canary(settings, 1);
  protocol::Pairs params;
  params.add("HTTP_X_CANARY_NOT", "1");
  EXPECT_FALSE(canary.takes(params));
  params.add("HTTP_X_CANARY", "");
  EXPECT_TRUE(canary.takes(params));
}

}  // namespace
}  // namespace viaduct::daemon::bridge
