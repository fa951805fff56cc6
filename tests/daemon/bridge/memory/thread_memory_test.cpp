#include "daemon/bridge/memory/thread_memory.hpp"

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

  static constexpr std::uint64_t kLimit = 2 * kMiB;  // a step is 64 KiB, the slack 1 MiB
  unsigned given_back = 0;
  unsigned pressed = 0;
  ProcessMemory process{.policy = {kLimit, 2}, .give_back = [this] { ++given_back; }};
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

// What one thread has freed is of no use to another.
TEST_F(ThreadMemoryTest, FreeMemoryIsGivenBackWhenAnotherThreadTakesAsMuch) {
  first.change(3 * kMiB / 2);
  first.change(-std::int64_t{3 * kMiB / 2});
  EXPECT_EQ(process.taken, 3 * kMiB / 2);
  EXPECT_EQ(given_back, 0u) << "that much is allowed";
  second.change(kMiB / 2);
  EXPECT_EQ(given_back, 0u) << "still";
  second.change(kStep);
  EXPECT_EQ(given_back, 1u);
  EXPECT_EQ(process.taken, kMiB / 2 + kStep);
  // And what it takes again counts from there.
  first.change(kMiB);
  EXPECT_EQ(process.taken, 3 * kMiB / 2 + kStep);
  EXPECT_EQ(given_back, 1u);
}

TEST_F(ThreadMemoryTest, OneThreadUsesItsOwnFreeMemoryAgain) {
  for (int i = 0; i < 10; ++i) {
    first.change(kMiB);
    first.change(-std::int64_t{kMiB});
  }
  EXPECT_EQ(process.taken, kMiB);
  EXPECT_EQ(given_back, 0u);
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
