#include "daemon/log/byte_limit.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::log {
namespace {

using std::chrono::milliseconds;

TEST(ByteLimit, WritesUpToItsBytesInAnInterval) {
  const ByteLimit::Clock::time_point start{std::chrono::hours(1)};
  for (const std::size_t last : {39u, 40u, 41u}) {
    ByteLimit limit(100, milliseconds(100));
    EXPECT_TRUE(limit.admit(60, start).write);
    EXPECT_EQ(limit.admit(last, start + milliseconds(99)).write, last <= 40) << last;
  }
}

TEST(ByteLimit, TellsWhatWasHeldBackOnce) {
  const ByteLimit::Clock::time_point start{std::chrono::hours(1)};
  ByteLimit limit(100, milliseconds(100));
  EXPECT_TRUE(limit.admit(90, start).write);
  EXPECT_FALSE(limit.admit(11, start).write);
  EXPECT_FALSE(limit.admit(1, start).write) << "what is missing is in one piece";
  const auto next = limit.admit(5, start + milliseconds(100));
  EXPECT_TRUE(next.write);
  EXPECT_EQ(next.suppressed, 12u);
  EXPECT_EQ(limit.admit(5, start + milliseconds(100)).suppressed, 0u);
}

TEST(ByteLimit, ALineLongerThanTheLimitIsWrittenAlone) {
  const ByteLimit::Clock::time_point start{std::chrono::hours(1)};
  ByteLimit limit(100, milliseconds(100));
  EXPECT_TRUE(limit.admit(1000, start).write);
  EXPECT_FALSE(limit.admit(1, start).write);
}

}  // namespace
}  // namespace viaduct::daemon::log
