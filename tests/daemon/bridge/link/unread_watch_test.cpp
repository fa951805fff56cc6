#include "daemon/bridge/link/unread_watch.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

constexpr std::size_t kFirst = 16;
constexpr std::size_t kRest = 300;

Transfer sent(std::size_t bytes, bool blocked = false) {
  Transfer transfer;
  transfer.bytes = bytes;
  transfer.blocked = blocked;
  return transfer;
}

/// A request of two pieces.
UnreadWatch written() {
  UnreadWatch watch;
  watch.begin(kFirst);
  watch.note(sent(kRest));
  return watch;
}

TEST(UnreadWatch, AsLongAsBothPiecesCountNothingIsRead) {
  const auto memory = memory_of_writes(kFirst, kRest);
  ASSERT_TRUE(memory);
  UnreadWatch watch = written();
  EXPECT_TRUE(watch.complete());
  EXPECT_TRUE(watch.unread(*memory));
  EXPECT_FALSE(watch.unread(*memory - 1));
  EXPECT_FALSE(watch.unread(0));
}

TEST(UnreadWatch, IsBlindWhenItWasNotWrittenInTwoPieces) {
  UnreadWatch never;
  never.note(sent(kRest));
  UnreadWatch first;
  first.begin(kFirst);
  UnreadWatch blocked;
  blocked.begin(kFirst);
  blocked.note(sent(10, true));
  UnreadWatch three = written();
  three.note(sent(10));
  UnreadWatch another = written();
  another.restart();
  for (UnreadWatch* const watch : {&never, &first, &blocked, &three, &another}) {
    EXPECT_FALSE(watch->complete());
    EXPECT_FALSE(watch->unread(UINT64_MAX));
  }
}

TEST(UnreadWatch, WritesOfNothingAreNone) {
  UnreadWatch watch;
  watch.begin(kFirst);
  watch.note(sent(0));
  EXPECT_FALSE(watch.complete());
  watch.note(sent(kRest));
  watch.note(sent(0));
  EXPECT_TRUE(watch.complete());
}

}  // namespace
}  // namespace viaduct::daemon::bridge
