#include "daemon/bridge/memory/thread_memory.hpp"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

constexpr std::int64_t kStep = 64 * 1024;
constexpr std::uint64_t kMiB = 1024 * 1024;

class ThreadMemoryTest : public ::testing::Test {
 protected:
  ThreadMemoryTest() {
    for (ThreadMemory* thread : {&first, &second}) {
      thread->join(process, [this] { ++pressed; });
    }
  }

  // Adds so much, and holds no more than before.
  static void add_and_free(ThreadMemory& thread, std::uint64_t bytes) {
    thread.change(static_cast<std::int64_t>(bytes));
    thread.change(-static_cast<std::int64_t>(bytes));
  }

  static constexpr std::uint64_t kLimit = 2 * kMiB;  // a step is 64 KiB, the slack 1 MiB
  static constexpr std::uint64_t kFootprintLimit = 3 * kMiB;
  static constexpr std::uint64_t kTarget = 5 * kMiB / 2;
  unsigned measured = 0;
  unsigned given_back = 0;
  unsigned pressed = 0;
  std::uint64_t footprint = 0;
  std::uint64_t after_giving_back = 0;
  ProcessMemory process{.policy = {kLimit, 2},
                        .give_back =
                            [this] {
                              ++given_back;
                              footprint = after_giving_back;
                            },
                        .footprint =
                            [this] {
                              ++measured;
                              return std::optional(footprint);
                            }};
  ThreadMemory first;
  ThreadMemory second;
};

TEST_F(ThreadMemoryTest, TellsAStepAndNotLess) {
  first.change(kStep - 1);
  EXPECT_EQ(process.held, 0u);
  first.change(1);
  EXPECT_EQ(process.held, std::uint64_t{kStep});
  second.change(kStep + 5);
  EXPECT_EQ(process.held, std::uint64_t{2 * kStep + 5});
  first.change(1 - kStep);
  EXPECT_EQ(process.held, std::uint64_t{2 * kStep + 5});
  first.change(-1);
  EXPECT_EQ(process.held, std::uint64_t{kStep + 5});
  second.change(7);
  second.tell();
  EXPECT_EQ(process.held, std::uint64_t{kStep + 12});
  EXPECT_EQ(first.held(), 0u);
  EXPECT_EQ(second.held(), std::uint64_t{kStep + 12});
}

TEST_F(ThreadMemoryTest, WhoHasLeftTellsNobody) {
  first.change(kStep);
  first.leave();
  first.change(-kStep);
  first.tell();
  EXPECT_EQ(process.held, std::uint64_t{kStep});
  EXPECT_EQ(pressed, 0u);
}

TEST_F(ThreadMemoryTest, PressureIsSaidWithEveryStepAboveSevenEighths) {
  first.change(kLimit * 7 / 8);
  EXPECT_EQ(pressed, 0u);
  EXPECT_FALSE(process.refusing());
  second.change(1);
  second.tell();
  EXPECT_EQ(pressed, 1u);
  EXPECT_TRUE(process.refusing());
  first.change(kStep);
  EXPECT_EQ(pressed, 2u);
  first.publish();
  EXPECT_EQ(pressed, 2u) << "publishing is not asking";
  first.change(-3 * kStep);
  EXPECT_EQ(pressed, 2u);
}

TEST_F(ThreadMemoryTest, WhatIsAddedAndFreedAgainIsToldAfterAStepToo) {
  for (int i = 0; i < 3; ++i) {
    first.change(kStep / 4);
    first.change(-kStep / 4);
  }
  EXPECT_EQ(process.taken, 0u);
  first.change(kStep / 4);
  EXPECT_EQ(process.taken, std::uint64_t{kStep});
  EXPECT_EQ(process.held, std::uint64_t{kStep / 4});
}

// Memory that small allocations have freed is of no use to large ones, nor to another thread.
TEST_F(ThreadMemoryTest, FootprintIsMeasuredOnceSoMuchWasAdded) {
  add_and_free(first, kFootprintLimit / 2);
  add_and_free(second, kFootprintLimit / 2);
  EXPECT_EQ(measured, 0u);
  after_giving_back = kTarget;
  first.change(kStep);
  EXPECT_EQ(given_back, 1u);
  EXPECT_EQ(measured, 1u);
  EXPECT_EQ(process.taken, kTarget);
  EXPECT_EQ(process.excess, 0u) << "it is no larger than that";
  EXPECT_EQ(pressed, 0u);
  add_and_free(second, kFootprintLimit - kTarget);
  EXPECT_EQ(measured, 1u) << "counting goes on from what was measured";
  second.change(kStep);
  EXPECT_EQ(measured, 2u);
}

TEST_F(ThreadMemoryTest, RoomThatNothingWasWrittenToCountsAsTaken) {
  first.change(3 * kLimit / 4);
  after_giving_back = kLimit / 4;
  add_and_free(second, kFootprintLimit);
  EXPECT_GE(given_back, 1u);
  EXPECT_GE(process.taken, 3 * kLimit / 4);
}

TEST_F(ThreadMemoryTest, PressureIsSaidWhenGivingBackIsNotEnough) {
  first.change(kLimit / 2);
  footprint = after_giving_back = kTarget + 1;
  add_and_free(second, kFootprintLimit);
  EXPECT_EQ(process.excess, kLimit / 4 + 1);
  EXPECT_TRUE(process.refusing());
  EXPECT_GE(pressed, 1u);
  pressed = 0;
  // Each thread hears of it, and hears that it is over.
  first.tell();
  EXPECT_EQ(pressed, 1u);
  footprint = after_giving_back = kTarget;
  first.tell();
  EXPECT_EQ(pressed, 1u);
  EXPECT_FALSE(process.refusing());
}

TEST_F(ThreadMemoryTest, LookingAgainAsksForMoreUntilItIsEnough) {
  first.change(kLimit / 2);
  footprint = after_giving_back = kTarget + 1;
  add_and_free(second, kFootprintLimit);
  ASSERT_GT(process.excess, 0u);
  pressed = 0;
  EXPECT_FALSE(first.look_again()) << "nothing was given up";
  first.gave_up();
  EXPECT_TRUE(first.look_again());
  EXPECT_EQ(pressed, 1u);
  footprint = after_giving_back = kTarget;
  first.gave_up();
  EXPECT_FALSE(first.look_again());
  EXPECT_EQ(pressed, 1u);
  EXPECT_EQ(process.excess, 0u);
}

// Not for ever: pages that no request holds are not got back by refusing requests.
TEST_F(ThreadMemoryTest, NothingIsAskedForWhileLittleIsHeld) {
  first.change(kLimit / 8);
  footprint = after_giving_back = 10 * kFootprintLimit;
  add_and_free(second, kFootprintLimit);
  EXPECT_GE(given_back, 1u);
  EXPECT_EQ(process.excess, 0u);
  EXPECT_FALSE(process.refusing());
}

TEST_F(ThreadMemoryTest, WithoutAMeasureWhatIsHeldCountsAfterGivingBack) {
  process.footprint = nullptr;
  first.change(kMiB);
  add_and_free(second, kFootprintLimit);
  EXPECT_GE(given_back, 1u);
  EXPECT_GE(process.taken, process.held.load());
  EXPECT_EQ(process.excess, 0u);
}

// A thread that returns memory slowly must not let the others grow meanwhile.
TEST_F(ThreadMemoryTest, OthersWaitWhileMemoryIsGivenBack) {
  std::atomic<bool> waiting = false;
  std::atomic<bool> through = false;
  std::thread other;
  process.give_back = [&] {
    if (waiting.exchange(true)) return;
    other = std::thread([&] {
      second.change(kStep);
      through = true;
    });
    while (process.taken < kFootprintLimit + 2 * kStep) std::this_thread::yield();
    EXPECT_FALSE(through);
  };
  first.change(kFootprintLimit + kStep);
  other.join();
  EXPECT_TRUE(through);
  EXPECT_GE(process.taken, process.held.load()) << "what the other added is not forgotten";
}

TEST_F(ThreadMemoryTest, SharesAreAsLastCountedAndGoWithTheirObject) {
  {
    MemoryShare share(first);
    MemoryShare other(first);
    share.set(1000);
    other.set(100);
    EXPECT_EQ(first.held(), 1100u);
    share.set(400);
    EXPECT_EQ(first.held(), 500u);
    EXPECT_EQ(share.bytes(), 400u);
  }
  EXPECT_EQ(first.held(), 0u);
}

TEST(ThreadMemory, OnItsOwnTellsNobody) {
  ThreadMemory alone;
  alone.change(INT64_MAX / 2);
  alone.tell();
  EXPECT_EQ(alone.held(), std::uint64_t{INT64_MAX / 2});
}

TEST(ThreadMemory, WithoutALimitOnlyCounts) {
  unsigned pressed = 0;
  ProcessMemory process{.policy = {0, 1}, .give_back = [] { FAIL(); }};
  ThreadMemory memory;
  memory.join(process, [&] { ++pressed; });
  memory.change(std::int64_t{1} << 40);
  memory.change(-(std::int64_t{1} << 40));
  EXPECT_EQ(process.held, 0u);
  EXPECT_EQ(pressed, 0u);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
