#include "daemon/bridge/dispatch/controlled_delay.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using std::chrono::milliseconds;
using Clock = ControlledDelay::Clock;

const Clock::time_point kStart{std::chrono::hours(1)};

ControlledDelay codel() {
  return ControlledDelay({milliseconds(50), milliseconds(100)});
}

Clock::time_point at(int ms) {
  return kStart + milliseconds(ms);
}

TEST(ControlledDelaySettings, AreSharesOfTheQueuesTimeout) {
  struct Row {
    int queue, target, interval;
  };
  for (const Row& row :
       {Row{0, 0, 0}, Row{1, 5, 100}, Row{50, 5, 100}, Row{499, 49, 100}, Row{1000, 100, 200},
        Row{5000, 500, 1000}, Row{600'000, 60'000, 120'000}}) {
    const auto settings = controlled_delay(milliseconds(row.queue));
    EXPECT_EQ(settings.target, milliseconds(row.target)) << row.queue;
    EXPECT_EQ(settings.interval, milliseconds(row.interval)) << row.queue;
  }
}

TEST(ControlledDelay, TimeWithoutAWorkerDoesNotCount) {
  ControlledDelay delay = codel();
  delay.observe(milliseconds(50), 100, 4, at(0));
  delay.interrupt();
  delay.observe(milliseconds(5050), 100, 4, at(5000));
  EXPECT_FALSE(delay.overloaded()) << "the first observation with a worker";
  delay.observe(milliseconds(5149), 100, 4, at(5099));
  EXPECT_FALSE(delay.overloaded());
  delay.observe(milliseconds(5150), 100, 4, at(5100));
  EXPECT_TRUE(delay.overloaded());
  EXPECT_TRUE(delay.shed(at(5100)));

  delay.interrupt();
  EXPECT_FALSE(delay.overloaded());
  EXPECT_FALSE(delay.shed(at(10'000))) << "not for the time in between";
  delay.observe(milliseconds(5000), 100, 4, at(10'000));
  EXPECT_FALSE(delay.shed(at(10'000)));
}

// One observation after the other: the oldest's waiting, the queue's length; 4 slots.
TEST(ControlledDelay, IsOverloadedAfterAnIntervalAboveTheTarget) {
  struct Row {
    int at, oldest;
    std::size_t waiting;
    bool overloaded;
  };
  ControlledDelay delay = codel();
  for (const Row& row : {
           Row{0, 49, 100, false},     // below the target
           Row{10, 50, 100, false},    // above it from now on
           Row{109, 150, 100, false},  // not for a whole interval yet
           Row{110, 49, 100, false},   // once below: starts again
           Row{120, 50, 100, false},
           Row{219, 99, 100, false},
           Row{220, 99, 100, true},
           Row{230, 50, 9, true},
           Row{240, 500, 8, false},  // no more wait than twice as many as there are slots
           Row{250, 500, 9, false},
           Row{350, 500, 9, true},
           Row{360, 49, 9, false},
       }) {
    delay.observe(milliseconds(row.oldest), row.waiting, 4, at(row.at));
    EXPECT_EQ(delay.overloaded(), row.overloaded) << row.at;
  }
}

TEST(ControlledDelay, QueueThatBecomesShorterIsNoOverload) {
  struct Row {
    int at;
    std::size_t waiting;
    bool overloaded;
  };
  ControlledDelay delay = codel();
  for (const Row& row : {
           Row{0, 800, false},
           Row{100, 699, false},  // an eighth less: another interval
           Row{200, 612, true},   // not quite an eighth less than 699
           Row{210, 100, true},
       }) {
    delay.observe(milliseconds(60), row.waiting, 4, at(row.at));
    EXPECT_EQ(delay.overloaded(), row.overloaded) << row.at;
  }
}

TEST(ControlledDelay, ShedsFasterAndFaster) {
  ControlledDelay delay = codel();
  std::vector<int> shed;
  for (int ms = 0; ms <= 500; ++ms) {
    delay.observe(milliseconds(60), 100, 4, at(ms));
    while (delay.shed(at(ms))) shed.push_back(ms);
  }
  // 100, then 100/1, 100/sqrt(2), 100/sqrt(3), ... later
  EXPECT_EQ(shed, (std::vector<int>{100, 200, 271, 329, 379, 424, 464}));
}

TEST(ControlledDelay, NothingIsShedWithoutOverload) {
  ControlledDelay delay = codel();
  EXPECT_FALSE(delay.shed(at(0)));
  delay.observe(milliseconds(60), 100, 4, at(0));
  EXPECT_FALSE(delay.shed(at(1000)));
}

int shed_within(ControlledDelay& delay, int from, int to) {
  int shed = 0;
  for (int ms = from; ms < to; ++ms) {
    delay.observe(milliseconds(60), 100, 4, at(ms));
    while (delay.shed(at(ms))) ++shed;
  }
  return shed;
}

TEST(ControlledDelay, ResumesItsRateAfterAShortPauseOnly) {
  ControlledDelay fresh = codel();
  const int first = shed_within(fresh, 0, 1000);
  ControlledDelay soon = codel();
  shed_within(soon, 0, 1000);
  soon.observe(milliseconds(0), 0, 4, at(1000));
  EXPECT_GT(shed_within(soon, 1001, 2001), first);
  ControlledDelay late = codel();
  shed_within(late, 0, 1000);
  late.observe(milliseconds(0), 0, 4, at(1000));
  EXPECT_EQ(shed_within(late, 10'000, 11'000), first);
}

TEST(ControlledDelay, WithoutATargetIsNeverOverloaded) {
  ControlledDelay delay({});
  for (int ms = 0; ms < 100'000; ms += 1000) {
    delay.observe(milliseconds(ms), 1000, 1, at(ms));
    EXPECT_FALSE(delay.overloaded());
    EXPECT_FALSE(delay.shed(at(ms)));
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge
