#include "daemon/bridge/link/reconnect.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

TEST(ReconnectDelay, DoublesUpToALimit) {
  const int expected[] = {100, 200, 400, 800, 1600, 1600, 1600};
  for (unsigned i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(reconnect_delay(i + 1).count(), expected[i]) << i;
  }
  EXPECT_EQ(reconnect_delay(0).count(), 100);
  EXPECT_EQ(reconnect_delay(1'000'000).count(), 1600);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
