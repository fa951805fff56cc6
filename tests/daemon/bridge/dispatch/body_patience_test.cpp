#include "daemon/bridge/dispatch/body_patience.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using std::chrono::milliseconds;
using Verdict = BodyPatience::Verdict;

/// One step: so much time, in which the client is waited for or not, then so many bytes.
struct Step {
  int ms;
  bool waiting;
  std::uint64_t bytes;
};

struct Case {
  const char* name;
  BodyPatience::Limits limits;
  std::vector<Step> steps;
  Verdict verdict;
};

TEST(BodyPatience, Table) {
  constexpr auto kMinute = milliseconds(60'000);
  const std::vector<Case> cases{
      {"nothing has passed", {kMinute, 500}, {}, Verdict::wait},
      {"just not silent", {kMinute, 0}, {{59'999, true, 0}}, Verdict::wait},
      {"silent", {kMinute, 0}, {{60'000, true, 0}}, Verdict::silent},
      {"no limit", {milliseconds(0), 0}, {{1'000'000'000, true, 0}}, Verdict::wait},
      {"a byte ends silence", {kMinute, 0}, {{59'999, true, 1}, {59'999, true, 0}}, Verdict::wait},
      {"silence again", {kMinute, 0}, {{59'999, true, 1}, {60'000, true, 0}}, Verdict::silent},
      {"paused", {kMinute, 500}, {{600'000, false, 0}}, Verdict::wait},
      {"a pause ends silence",
       {kMinute, 0},
       {{59'000, true, 0}, {50, false, 0}, {59'000, true, 0}},
       Verdict::wait},
      {"slow within the grace", {kMinute, 500}, {{19'999, true, 1}}, Verdict::wait},
      {"slow behind it", {kMinute, 500}, {{20'000, true, 9'999}}, Verdict::slow},
      {"just fast enough", {kMinute, 500}, {{20'000, true, 10'000}}, Verdict::wait},
      {"slow later",
       {kMinute, 500},
       {{20'000, true, 10'000}, {20'000, true, 9'999}},
       Verdict::slow},
      {"an average", {kMinute, 500}, {{1'000, true, 20'000}, {39'000, true, 0}}, Verdict::wait},
      {"pauses do not count",
       {kMinute, 500},
       {{10'000, true, 1}, {600'000, false, 1}, {9'999, true, 1}},
       Verdict::wait},
      {"silence is told first", {milliseconds(20'000), 500}, {{20'000, true, 0}}, Verdict::silent},
      {"any rate", {milliseconds(0), 0}, {{1'000'000, true, 1}}, Verdict::wait},
  };
  for (const Case& each : cases) {
    BodyPatience patience;
    for (const Step& step : each.steps) {
      patience.pass(milliseconds(step.ms), step.waiting);
      if (step.bytes > 0) patience.receive(step.bytes);
    }
    EXPECT_EQ(patience.verdict(each.limits), each.verdict) << each.name;
  }
}

// Of the time in which the client is waited for; the first second counts whole.
TEST(BodyPatience, Rate) {
  BodyPatience patience;
  EXPECT_EQ(patience.rate(), 0);
  patience.receive(500);
  EXPECT_EQ(patience.rate(), 500);
  patience.pass(milliseconds(999), true);
  EXPECT_EQ(patience.rate(), 500);
  patience.pass(milliseconds(1), true);
  EXPECT_EQ(patience.rate(), 500);
  patience.pass(milliseconds(60'000), false);
  EXPECT_EQ(patience.rate(), 500);
  patience.pass(milliseconds(1'000), true);
  EXPECT_EQ(patience.rate(), 250);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
