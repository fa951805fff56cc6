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
  constexpr std::uint64_t kMany = 10 * 1024 * 1024;
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
      {"at the rate", {kMinute, 500}, {{20'000, true, 10'000}}, Verdict::slow},
      {"just fast enough", {kMinute, 500}, {{20'000, true, 10'001}}, Verdict::wait},
      {"slow later",
       {kMinute, 500},
       {{20'000, true, 10'001}, {20'000, true, 9'999}},
       Verdict::slow},
      {"an average", {kMinute, 500}, {{10'000, true, 12'000}, {13'999, true, 0}}, Verdict::wait},
      {"fast, then silent", {kMinute, 500}, {{0, true, kMany}, {60'000, true, 0}}, Verdict::silent},
      {"for a little less", {kMinute, 500}, {{0, true, kMany}, {59'999, true, 0}}, Verdict::wait},
      {"fast for long, then silent",
       {kMinute, 500},
       {{600'000, true, kMany}, {60'000, true, 0}},
       Verdict::silent},
      {"fast, then dripping",
       {kMinute, 500},
       {{0, true, kMany}, {35'000, true, 1}, {35'000, true, 1}},
       Verdict::slow},
      {"fast, with little silence allowed",
       {milliseconds(1'000), 500},
       {{0, true, kMany}, {900, true, 1}, {19'200, true, 1}},
       Verdict::slow},
      {"fast, with any silence allowed",
       {milliseconds(0), 500},
       {{0, true, kMany}, {20'000, true, 0}},
       Verdict::slow},
      {"fast, then at the rate",
       {kMinute, 500},
       {{0, true, kMany}, {19'000, true, 9'500}, {19'000, true, 9'500}},
       Verdict::wait},
      {"fast, then paused",
       {kMinute, 500},
       {{0, true, kMany}, {600'000, false, 0}, {19'999, true, 0}},
       Verdict::wait},
      {"fast, then silent without a rate",
       {kMinute, 0},
       {{0, true, kMany}, {59'999, true, 0}},
       Verdict::wait},
      {"pauses do not count",
       {kMinute, 500},
       {{10'000, true, 1}, {600'000, false, 1}, {9'999, true, 1}},
       Verdict::wait},
      {"silence is told first", {milliseconds(20'000), 500}, {{20'000, true, 0}}, Verdict::silent},
      {"any rate", {milliseconds(0), 0}, {{1'000'000, true, 1}}, Verdict::wait},
  };
  for (const Case& each : cases) {
    BodyPatience patience(each.limits);
    for (const Step& step : each.steps) {
      patience.pass(milliseconds(step.ms), step.waiting);
      if (step.bytes > 0) patience.receive(step.bytes);
    }
    EXPECT_EQ(patience.verdict(), each.verdict) << each.name;
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

// Beside a client that sends steadily, one that was fast once is soon the slower one.
TEST(BodyPatience, RateForgetsAFastStart) {
  BodyPatience fast;
  BodyPatience steady;
  fast.receive(64'000'000);
  for (int second = 0; second < 400; ++second) {
    for (int i = 0; i < 20; ++i) {
      fast.pass(milliseconds(50), true);
      steady.pass(milliseconds(50), true);
    }
    fast.receive(1);
    steady.receive(100'000);
    if (second == 30) {
      EXPECT_GT(fast.rate(), steady.rate());
    }
  }
  EXPECT_LT(fast.rate(), 1000);
  EXPECT_GT(steady.rate(), 90'000);
  EXPECT_LT(steady.rate(), 110'000);
  BodyPatience late;
  late.receive(64'000'000);
  late.pass(std::chrono::hours(10), true);
  EXPECT_LT(late.rate(), 1);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
