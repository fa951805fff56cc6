#include "daemon/config/memory_policy.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::config {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;

TEST(MemoryPolicy, WhatIsGivenUpAtHowMuch) {
  const MemoryPolicy policy{800, 1};
  const struct {
    std::uint64_t held;
    bool refuses;
    std::uint64_t excess;
    std::uint64_t excess_of_expendable;
  } rows[] = {
      {0, false, 0, 0},
      {699, false, 0, 0},
      {700, false, 0, 0},
      {701, true, 0, 101},
      {799, true, 0, 199},
      {800, true, 0, 200},
      {801, true, 201, 201},
      {1'000'000, true, 999'400, 999'400},
      {UINT64_MAX, true, UINT64_MAX - 600, UINT64_MAX - 600},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(policy.refuses(row.held), row.refuses) << row.held;
    EXPECT_EQ(policy.excess(row.held), row.excess) << row.held;
    EXPECT_EQ(policy.excess_of_expendable(row.held), row.excess_of_expendable) << row.held;
  }
}

TEST(MemoryPolicy, WithoutALimitNothingIsRefused) {
  const MemoryPolicy policy{0, 4};
  for (const std::uint64_t held : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX}) {
    EXPECT_FALSE(policy.refuses(held));
    EXPECT_EQ(policy.excess(held), 0u);
    EXPECT_EQ(policy.excess_of_expendable(held), 0u);
  }
}

TEST(MemoryPolicy, WhatThreadsKeepToThemselvesIsASixteenthTogether) {
  const struct {
    std::uint64_t limit;
    std::uint32_t threads;
    std::uint64_t step;
    std::uint64_t slack;
  } rows[] = {
      {512 * kMiB, 1, 32 * kMiB, 64 * kMiB},
      {512 * kMiB, 64, 512 * kKiB, 64 * kMiB},
      {16 * kMiB, 16, 64 * kKiB, 2 * kMiB},
      {16 * kMiB, 17, 64 * kKiB, 2 * kMiB},  // a step is never less
      {8 * kMiB, 1, 512 * kKiB, 1 * kMiB},
      {1, 1, 64 * kKiB, 1 * kMiB},
  };
  for (const auto& row : rows) {
    const MemoryPolicy policy{row.limit, row.threads};
    EXPECT_EQ(policy.step(), row.step) << row.limit << ' ' << row.threads;
    EXPECT_EQ(policy.heap_slack(), row.slack) << row.limit << ' ' << row.threads;
  }
}

TEST(MemoryPolicy, FootprintIsLookedAtUpToItsLimit) {
  // The slack of 80 MiB is 10, of which one half is above the target.
  const MemoryPolicy policy{.limit = 80 * kMiB, .threads = 2, .connections = 256};
  ASSERT_EQ(policy.footprint_limit(), 91 * kMiB) << "limit, slack and 4 KiB for each connection";
  ASSERT_EQ(policy.footprint_target(), 86 * kMiB);
  const struct {
    std::uint64_t footprint;
    std::uint64_t held;
    std::uint64_t excess;
  } rows[] = {
      {0, 0, 0},
      {86 * kMiB, 80 * kMiB, 0},
      {86 * kMiB + 1, 80 * kMiB, 20 * kMiB + 1},
      {86 * kMiB + 1, 10 * kMiB + 1, 20 * kMiB + 1},
      {86 * kMiB + 1, 10 * kMiB, 0},  // an eighth
      {1000 * kMiB, 10 * kMiB, 0},
      {1000 * kMiB, 80 * kMiB, 934 * kMiB},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(policy.excess_of_footprint(row.footprint, row.held), row.excess)
        << row.footprint << ' ' << row.held;
  }
  EXPECT_EQ((MemoryPolicy{.limit = 0, .threads = 2, .connections = 256})
                .excess_of_footprint(UINT64_MAX, UINT64_MAX),
            0u);
}

TEST(MemoryBound, IsTheSumOfItsParts) {
  const std::uint64_t params = 5 * kMiB;
  const std::uint64_t parts = 100 * kMemoryOfConnection + 2 * kMemoryOfThread + kMemoryOfProcess +
                              2 * kCopiesOfParams * params;
  EXPECT_EQ(memory_bound({.connections = 100, .memory = 512 * kMiB}, 2, params),
            512 * kMiB + 32 * kMiB + 64 * kMiB + parts);
  EXPECT_EQ(memory_bound({.connections = 100, .memory = 1}, 2, params),
            1 + 2 * 64 * kKiB + 1 * kMiB + parts);
  EXPECT_EQ(memory_bound({.connections = 100, .memory = 0}, 2, params), 0u) << "there is none";
  EXPECT_LT(memory_bound({}, 1, AppLimits{}.params), std::uint64_t{1} << 30)
      << "as it is configured by default";
}

TEST(MemoryBound, LeavesEachThreadAStepAndAnEventAboveTheLimitOfTheFootprint) {
  for (const std::uint32_t threads : {1U, 2U, 16U, 64U}) {
    const MemoryPolicy policy{.limit = 64 * kMiB, .threads = threads, .connections = 1000};
    EXPECT_EQ(memory_bound({.connections = 1000, .memory = 64 * kMiB}, threads, 0) -
                  policy.footprint_limit() - kMemoryOfProcess,
              threads * (policy.step() + kMemoryOfThread));
  }
}

}  // namespace
}  // namespace viaduct::daemon::config
