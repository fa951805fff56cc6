#include "sdk/src/runtime/stall_detector.hpp"

#include <gtest/gtest.h>

namespace viaduct::detail {
namespace {

using std::chrono::milliseconds;

class StallDetectorTest : public ::testing::Test {
 protected:
  std::optional<StallDetector::Report> look(int ms, std::uint64_t progress, bool busy = true) {
    return detector_.look(StallDetector::Clock::time_point(milliseconds(ms)), progress, busy);
  }

 private:
  StallDetector detector_{milliseconds(100), milliseconds(1000)};
};

TEST_F(StallDetectorTest, ReportsOnceFromTheThresholdOn) {
  EXPECT_FALSE(look(0, 1));
  EXPECT_FALSE(look(99, 1));
  const auto report = look(100, 1);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->blocked, milliseconds(100));
  EXPECT_EQ(report->unreported, 0U);
  EXPECT_FALSE(look(5000, 1));
}

TEST_F(StallDetectorTest, MovingAndWaitingAreNoStalls) {
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(look(i * 90, static_cast<std::uint64_t>(i)));
  EXPECT_FALSE(look(2000, 20, false));
  EXPECT_FALSE(look(3000, 20, false));
  // Busy since then, not since the progress was seen.
  EXPECT_FALSE(look(3099, 20));
  EXPECT_TRUE(look(3100, 20));
}

TEST_F(StallDetectorTest, StretchesTooSoonAreCounted) {
  look(0, 1);
  EXPECT_TRUE(look(100, 1));
  look(200, 2);
  EXPECT_FALSE(look(300, 2));
  look(400, 3);
  EXPECT_FALSE(look(1099, 3));
  look(1100, 4);
  const auto report = look(1200, 4);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->unreported, 2U);
  look(2300, 5);
  EXPECT_EQ(look(2400, 5)->unreported, 0U);
}

TEST(StallDetectorOffTest, ThresholdOfZeroReportsNothing) {
  StallDetector detector(milliseconds(0), milliseconds(0));
  EXPECT_FALSE(detector.look({}, 1, true));
  EXPECT_FALSE(detector.look(StallDetector::Clock::time_point(std::chrono::hours(1)), 1, true));
}

}  // namespace
}  // namespace viaduct::detail
