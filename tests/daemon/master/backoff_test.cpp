#include "daemon/master/backoff.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr BackoffPolicy kPolicy{.initial = 250ms, .cap = 30s, .reset_after = 10s, .at_once = 2};
constexpr double kMost = 0.999999999;

TEST(BackoffTest, DelaysDoubleUpToTheCap) {
  struct Row {
    unsigned failures;
    bool was_ready;
    milliseconds uptime;
    milliseconds delay;  // without jitter, that is at its most
    unsigned counted;
  };
  const Row rows[] = {
      {0, false, 5ms, 250ms, 1},
      {1, false, 5ms, 500ms, 2},
      {6, false, 5ms, 16s, 7},
      {7, false, 5ms, 30s, 8},
      {63, false, 5ms, 30s, 64},
      {64, false, 5ms, 30s, 64},
      {4'000'000'000u, false, 5ms, 30s, 64},
      // Who worked is started again at once, but not over and over.
      {0, true, 5ms, 0ms, 1},
      {1, true, 5ms, 0ms, 2},
      {2, true, 5ms, 250ms, 3},
      {3, true, 5ms, 500ms, 4},
      // One below and at the age that forgives.
      {5, true, 9'999ms, 2s, 6},
      {5, true, 10s, 0ms, 1},
      // Age without ever having worked forgives nothing.
      {5, false, 60s, 8s, 6},
  };
  for (const Row& row : rows) {
    const Restart restart = next_restart(kPolicy, row.failures, row.was_ready, row.uptime, kMost);
    EXPECT_NEAR(static_cast<double>(restart.delay.count()), static_cast<double>(row.delay.count()),
                1.0)
        << row.failures;
    EXPECT_EQ(restart.failures, row.counted);
  }
}

TEST(BackoffTest, JitterSpreadsOverTheUpperHalf) {
  EXPECT_EQ(next_restart(kPolicy, 1, false, 0ms, 0.0).delay, 250ms);
  EXPECT_EQ(next_restart(kPolicy, 1, false, 0ms, 0.5).delay, 375ms);
  EXPECT_LE(next_restart(kPolicy, 1, false, 0ms, kMost).delay, 500ms);
}

}  // namespace
}  // namespace viaduct::daemon::master
