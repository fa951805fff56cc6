#include "daemon/master/recycle.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

config::AppLimits limits(std::uint32_t requests, milliseconds age, std::uint64_t memory) {
  config::AppLimits result;
  result.requests = requests;
  result.age = age;
  result.memory = memory;
  return result;
}

TEST(RecycleTest, EachLimitBelowAtAndAbove) {
  struct Row {
    config::AppLimits limits;
    WorkerUse use;
    double jitter;
    std::string_view reached;
  };
  const Row rows[] = {
      // No limit.
      {limits(0, 0ms, 0), {1'000'000'000, 8760h, 1ull << 40}, 0.0, ""},
      {limits(100, 0ms, 0), {99, 8760h, 1ull << 40}, 0.0, ""},
      {limits(100, 0ms, 0), {100, 0ms, 0}, 0.0, "requests"},
      {limits(100, 0ms, 0), {101, 0ms, 0}, 0.0, "requests"},
      // Up to a tenth less, never more.
      {limits(1000, 0ms, 0), {949, 0ms, 0}, 0.5, ""},
      {limits(1000, 0ms, 0), {950, 0ms, 0}, 0.5, "requests"},
      {limits(1000, 0ms, 0), {900, 0ms, 0}, 0.9999, ""},
      {limits(1000, 0ms, 0), {901, 0ms, 0}, 0.9999, "requests"},
      {limits(1, 0ms, 0), {0, 0ms, 0}, 0.9999, ""},
      {limits(1, 0ms, 0), {1, 0ms, 0}, 0.9999, "requests"},
      {limits(UINT32_MAX, 0ms, 0), {UINT32_MAX - 1ull, 0ms, 0}, 0.0, ""},
      {limits(UINT32_MAX, 0ms, 0), {UINT32_MAX, 0ms, 0}, 0.0, "requests"},
      {limits(0, 10s, 0), {0, 9'999ms, 0}, 0.0, ""},
      {limits(0, 10s, 0), {0, 10'000ms, 0}, 0.0, "age"},
      {limits(0, 10s, 0), {0, 9'499ms, 0}, 0.5, ""},
      {limits(0, 10s, 0), {0, 9'500ms, 0}, 0.5, "age"},
      // Memory is a bound, not a schedule: it is not spread.
      {limits(0, 0ms, 1000), {0, 0ms, 999}, 0.9999, ""},
      {limits(0, 0ms, 1000), {0, 0ms, 1000}, 0.9999, "memory"},
      // Not measured.
      {limits(0, 0ms, 1000), {5, 5ms, 0}, 0.0, ""},
      // The first of several.
      {limits(1, 1ms, 1), {1, 1ms, 1}, 0.0, "requests"},
      {limits(2, 1ms, 1), {1, 1ms, 1}, 0.0, "age"},
  };
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    EXPECT_EQ(limit_reached(rows[i].limits, rows[i].use, rows[i].jitter), rows[i].reached) << i;
  }
}

TEST(RecycleTest, AQuarterOfThePoolAtOnceButAtLeastOne) {
  const std::pair<std::size_t, std::size_t> rows[] = {{0, 1}, {1, 1}, {4, 1},
                                                      {7, 1}, {8, 2}, {1024, 256}};
  for (const auto& [places, at_once] : rows) EXPECT_EQ(recycled_at_once(places), at_once) << places;
}

}  // namespace
}  // namespace viaduct::daemon::master
