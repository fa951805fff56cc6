#include "protocol/body_rate.hpp"

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::protocol {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// So long a wait, then so many bytes.
struct Step {
  int ms;
  std::uint64_t bytes;
};

struct Case {
  const char* name;
  std::vector<Step> steps;
  int left;  ///< ms
};

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kTenMiB = 10 * 1024 * 1024;

// 500 bytes per second, 20 s.
TEST(BodyRate, Table) {
  const std::vector<Case> cases{
      {"nothing yet", {}, 20'000},
      {"nothing, one below the grace", {{19'999, 0}}, 1},
      {"nothing, at the grace", {{20'000, 0}}, 0},
      {"nothing, one above", {{20'001, 0}}, 0},
      {"one byte below the average", {{20'000, 9'999}}, 0},
      {"at the average", {{20'000, 10'000}}, 0},
      {"one byte above", {{20'000, 10'001}}, 2},
      {"above behind the grace", {{20'000, 15'000}}, 10'000},
      {"overdrawn within the grace only", {{10'000, 0}, {9'999, 20'000}}, 20'000},
      {"what is saved, at the limit", {{0, 10'000}}, 20'000},
      {"one byte below the limit", {{1'000, 10'499}}, 19'998},
      {"at the limit later", {{1'000, 10'500}}, 20'000},
      {"one byte above the limit", {{1'000, 10'501}}, 20'000},
      {"fast, then silent", {{0, kTenMiB}, {19'999, 0}}, 1},
      {"fast, then silent for the grace", {{0, kTenMiB}, {20'000, 0}}, 0},
      {"fast for long, then silent", {{600'000, kTenMiB}, {20'000, 0}}, 0},
      {"fast, then dripping", {{0, kTenMiB}, {10'000, 1}, {10'000, 0}}, 2},
      {"fast, then dripping on", {{0, kTenMiB}, {10'000, 1}, {10'002, 1}}, 2},
      {"fast, then at the rate", {{0, kTenMiB}, {19'000, 9'500}, {19'000, 9'500}}, 20'000},
      {"as many bytes as there can be", {{0, kMost}, {19'999, 0}}, 1},
      {"the same, overdrawn", {{2'000'000'000, kMost}}, 20'000},
  };
  for (const Case& each : cases) {
    BodyRate rate(500);
    for (const Step& step : each.steps) {
      rate.wait(milliseconds(step.ms));
      rate.receive(step.bytes);
    }
    EXPECT_EQ(rate.left(), milliseconds(each.left)) << each.name;
  }
}

TEST(BodyRate, ZeroIsAny) {
  for (BodyRate rate : {BodyRate(), BodyRate(0), BodyRate(0, seconds(1))}) {
    rate.receive(kMost);
    rate.wait(std::chrono::hours(1000));
    EXPECT_EQ(rate.left(), BodyRate::Duration::max());
  }
}

// A client of exactly the rate never loses by rounding what a pause of a second would not cost it.
TEST(BodyRate, BytesOneByOneAreWorthAsMuchAsTogether) {
  for (const std::uint32_t bytes_per_second : {1U, 3U, 300U, 1'000'000U}) {
    BodyRate one_by_one(bytes_per_second);
    one_by_one.wait(seconds(21));
    for (std::uint32_t i = 0; i < 22 * bytes_per_second; ++i) one_by_one.receive(1);
    EXPECT_LE(one_by_one.left(), seconds(1));
    EXPECT_GE(one_by_one.left(), seconds(1) - nanoseconds(22) * bytes_per_second)
        << bytes_per_second;
  }
}

TEST(BodyRate, WhatIsSavedIsChosen) {
  for (const auto& [bytes, left] : std::initializer_list<std::pair<int, int>>{
           {29'999, 59'998}, {30'000, 60'000}, {30'001, 60'000}}) {
    BodyRate rate(500, seconds(20), seconds(60));
    EXPECT_EQ(rate.left(), seconds(20));
    rate.receive(static_cast<std::uint64_t>(bytes));
    EXPECT_EQ(rate.left(), milliseconds(left)) << bytes;
    rate.wait(milliseconds(left));
    EXPECT_EQ(rate.left(), seconds(0)) << bytes;
  }
}

TEST(BodyRate, TheGraceIsChosen) {
  BodyRate rate(1000, seconds(2));
  rate.receive(1'000'000);
  EXPECT_EQ(rate.left(), seconds(2));
  rate.wait(seconds(2));
  EXPECT_EQ(rate.left(), seconds(0));
}

}  // namespace
}  // namespace viaduct::protocol
