#include "daemon/bridge/link/plain_links.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using std::chrono::milliseconds;

TEST(UnreadPatience, DoublesWithEachMove) {
  milliseconds before = unread_patience(milliseconds(100), 0);
  EXPECT_EQ(before, milliseconds(100));
  for (unsigned moves = 1; moves <= 10; ++moves) {
    const milliseconds patience = unread_patience(milliseconds(100), moves);
    EXPECT_EQ(patience, 2 * before) << moves;
    before = patience;
  }
  for (const unsigned moves : {11U, 31U, 32U, 1000U}) {
    EXPECT_EQ(unread_patience(milliseconds(100), moves), before) << moves;
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge
