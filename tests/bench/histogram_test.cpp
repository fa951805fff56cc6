#include "tests/bench/histogram.hpp"

#include <cstdint>

#include <gtest/gtest.h>

namespace viaduct::bench {
namespace {

TEST(Histogram, EmptyHasQuantileZero) {
  EXPECT_EQ(Histogram().quantile(0.5), 0U);
  EXPECT_EQ(Histogram().count(), 0U);
}

TEST(Histogram, SmallValuesAreExact) {
  for (std::uint64_t value = 0; value < 256; ++value) {
    Histogram histogram;
    histogram.record(value);
    EXPECT_EQ(histogram.quantile(0.5), value);
  }
}

TEST(Histogram, EveryValueIsWithinOnePercent) {
  for (std::uint64_t value = 1; value < Histogram::kMax / 3; value = value * 17 / 16 + 1) {
    Histogram histogram;
    histogram.record(value);
    const auto given = static_cast<double>(histogram.quantile(1));
    EXPECT_NEAR(given, static_cast<double>(value), static_cast<double>(value) * 0.01) << value;
  }
}

TEST(Histogram, ValuesAtAndBeyondTheLargestShareTheLastBucket) {
  for (const std::uint64_t value : {Histogram::kMax, Histogram::kMax + 1, UINT64_MAX}) {
    Histogram histogram;
    histogram.record(value);
    EXPECT_NEAR(static_cast<double>(histogram.quantile(1)), static_cast<double>(Histogram::kMax),
                static_cast<double>(Histogram::kMax) * 0.01);
  }
}

TEST(Histogram, QuantilesFollowTheOrderOfValues) {
  Histogram histogram;
  for (std::uint64_t value = 100; value > 0; --value) histogram.record(value);
  EXPECT_EQ(histogram.count(), 100U);
  EXPECT_EQ(histogram.quantile(0), 1U);
  EXPECT_EQ(histogram.quantile(0.5), 50U);
  EXPECT_EQ(histogram.quantile(0.99), 99U);
  EXPECT_EQ(histogram.quantile(1), 100U);
}

}  // namespace
}  // namespace viaduct::bench
