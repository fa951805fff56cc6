#include "daemon/bridge/dispatch/body_store.hpp"

#include <string>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

void append(BodyStore& store, std::string_view text) {
  ASSERT_FALSE(store.append(protocol::as_bytes(text)));
}

std::string take(BodyStore& store, std::size_t at_most, std::size_t step = 1000) {
  std::string text;
  while (text.size() < at_most) {
    std::error_code error;
    const auto bytes = store.peek(std::min(step, at_most - text.size()), error);
    EXPECT_FALSE(error);
    if (bytes.empty()) break;
    text += protocol::as_text(bytes);
    store.consume(bytes.size());
  }
  return text;
}

TEST(BodyStore, GivesBytesInOrder) {
  BodyStore store(0);
  append(store, "one ");
  append(store, "two");
  EXPECT_EQ(store.waiting(), 7u);
  EXPECT_EQ(take(store, 5, 2), "one t");
  append(store, " three");
  EXPECT_EQ(take(store, 100, 3), "wo three");
  EXPECT_EQ(store.waiting(), 0u);
  EXPECT_EQ(store.total(), 13u);
  std::error_code error;
  EXPECT_TRUE(store.peek(10, error).empty());
  EXPECT_FALSE(error);
}

TEST(BodyStore, KeepsBodiesUpToItsLimit) {
  struct Row {
    std::size_t size;
    bool kept;
  };
  for (const Row& row : {Row{0, true}, Row{99, true}, Row{100, true}, Row{101, false}}) {
    BodyStore store(100);
    EXPECT_EQ(store.keeps(row.size), row.kept) << row.size;
    append(store, pattern(row.size));
    EXPECT_TRUE(store.rewindable()) << "nothing was passed on yet";
    EXPECT_EQ(take(store, 1000), pattern(row.size));
    EXPECT_EQ(store.rewindable(), row.kept) << row.size;
    if (!row.kept) continue;
    store.rewind();
    EXPECT_EQ(store.waiting(), row.size);
    EXPECT_EQ(take(store, 1000), pattern(row.size));
  }
}

TEST(BodyStore, RewindsAfterAPart) {
  BodyStore store(100);
  append(store, "abcdef");
  EXPECT_EQ(take(store, 3), "abc");
  store.rewind();
  append(store, "gh");
  EXPECT_EQ(take(store, 100), "abcdefgh");
  store.rewind();
  EXPECT_EQ(take(store, 100), "abcdefgh");
}

TEST(BodyStore, LimitPassedWhileUnreadBytesWaitStillRewinds) {
  BodyStore store(10);
  append(store, pattern(8));
  append(store, pattern(8));
  EXPECT_TRUE(store.rewindable());
  store.rewind();
  EXPECT_EQ(take(store, 100), pattern(8) + pattern(8));
  EXPECT_FALSE(store.rewindable());
}

TEST(BodyStore, LimitPassedAfterAPartIsLost) {
  BodyStore store(10);
  append(store, pattern(8));
  EXPECT_EQ(take(store, 1), pattern(1));
  append(store, pattern(3));
  EXPECT_FALSE(store.rewindable());
  EXPECT_EQ(take(store, 100), pattern(8).substr(1) + pattern(3));
}

TEST(BodyStore, ForgottenBodyStillGivesWhatWaits) {
  BodyStore store(100);
  append(store, "abcdef");
  EXPECT_EQ(take(store, 2), "ab");
  store.forget();
  EXPECT_FALSE(store.rewindable());
  EXPECT_FALSE(store.keeps(0));
  EXPECT_EQ(take(store, 100), "cdef");
  append(store, "gh");
  EXPECT_EQ(take(store, 100), "gh");
  EXPECT_LE(store.memory(), 512u) << "the least that a Buffer takes";
}

TEST(BodyStore, ForgottenBodyHoldsOnlyWhatWaits) {
  constexpr std::size_t kPiece = 1000;
  BodyStore store(1'000'000);
  store.forget();
  for (int i = 0; i < 200; ++i) {
    append(store, pattern(kPiece));
    EXPECT_EQ(take(store, kPiece), pattern(kPiece));
    ASSERT_LE(store.memory(), 4 * kPiece) << i;
  }
}

TEST(BodyStore, BypassedBytesCountAndAreLost) {
  BodyStore store(10);
  store.bypass(0);
  EXPECT_TRUE(store.rewindable());
  EXPECT_TRUE(store.keeps(10)) << "nothing happened";
  append(store, pattern(8));
  EXPECT_EQ(take(store, 100), pattern(8));
  store.bypass(1);  // less than the limit would allow: what follows it exceeds it
  EXPECT_EQ(store.total(), 9u);
  EXPECT_EQ(store.waiting(), 0u);
  EXPECT_FALSE(store.rewindable());
  append(store, "rest");
  EXPECT_EQ(take(store, 100), "rest");
}

TEST(BodyStore, GivesBackAllButALittleMemory) {
  Spool spool("", 0);
  BodyStore store(200'000);
  append(store, pattern(200'000));
  EXPECT_GE(store.memory(), 200'000u);
  EXPECT_EQ(take(store, 200'000).size(), 200'000u);
  store.forget();
  EXPECT_EQ(store.memory(), 0u);
  ASSERT_FALSE(store.spool(spool));
  append(store, pattern(100'000));
  EXPECT_EQ(take(store, 100'000).size(), 100'000u);
  EXPECT_GT(store.memory(), 0u) << "what was read from the file";
  store.reset(0);
  EXPECT_EQ(store.memory(), 0u);
  append(store, pattern(5000));
  store.reset(0);
  EXPECT_EQ(store.memory(), 0u);
}

TEST(BodyStore, SpoolsBehindWhatIsInMemory) {
  Spool spool("", 0);
  BodyStore store(0);
  append(store, pattern(1000));
  ASSERT_FALSE(store.spool(spool));
  ASSERT_FALSE(store.spool(spool)) << "a second time";
  EXPECT_TRUE(store.spooling());
  append(store, pattern(200'000));
  EXPECT_LE(store.memory(), 1000u);
  EXPECT_EQ(take(store, 600), pattern(600));
  append(store, "end");
  EXPECT_TRUE(take(store, 1'000'000, 50'000) ==
              pattern(1000).substr(600) + pattern(200'000) + "end");
  EXPECT_EQ(store.waiting(), 0u);
  EXPECT_EQ(store.total(), 201'003u);
}

TEST(BodyStore, SpooledBodyRewinds) {
  Spool spool("", 0);
  BodyStore store(1000);
  append(store, "memory ");
  ASSERT_FALSE(store.spool(spool));
  append(store, "file");
  EXPECT_EQ(take(store, 9), "memory fi");
  store.rewind();
  EXPECT_EQ(take(store, 100), "memory file");
}

TEST(BodyStore, SecondStreamWaitsUntilTheFirstWasPassedOn) {
  Spool spool("", 0);
  for (const bool spooled : {false, true}) {
    BodyStore store(100);
    append(store, "one");
    if (spooled) {
      ASSERT_FALSE(store.spool(spool));
    }
    append(store, "more");
    EXPECT_FALSE(store.first_passed_on());
    EXPECT_EQ(take(store, 2), "on");
    store.split();
    append(store, "two");
    EXPECT_EQ(take(store, 100, 4), "emore");
    EXPECT_TRUE(store.first_passed_on());
    EXPECT_EQ(take(store, 100), "");
    store.begin_second();
    EXPECT_EQ(take(store, 2), "tw");
    append(store, "!");
    EXPECT_EQ(take(store, 100), "o!");
    store.rewind();
    EXPECT_EQ(take(store, 100), "onemore");
    store.begin_second();
    EXPECT_EQ(take(store, 100), "two!");
  }
}

TEST(BodyStore, FirstStreamMayBeEmpty) {
  BodyStore store(100);
  EXPECT_FALSE(store.first_passed_on());
  store.split();
  EXPECT_TRUE(store.first_passed_on());
  append(store, "two");
  EXPECT_EQ(take(store, 100), "");
  store.begin_second();
  EXPECT_EQ(take(store, 100), "two");
  store.reset(100);
  append(store, "next");
  EXPECT_EQ(take(store, 100), "next");
}

TEST(BodyStore, FailureToSpoolIsReported) {
  Spool nowhere("/nonexistent/directory", 0);
  BodyStore store(0);
  EXPECT_TRUE(store.spool(nowhere));
  EXPECT_FALSE(store.spooling());
  append(store, "still in memory");
  EXPECT_EQ(take(store, 100), "still in memory");
}

TEST(BodyStore, MemoryGoesToTheFileUnlessSomeOfItWasPassedOn) {
  for (const bool some : {false, true}) {
    Spool spool("", 0);
    BodyStore store(100);
    append(store, "in memory");
    if (some) {
      EXPECT_EQ(take(store, 3), "in ");
    }
    ASSERT_FALSE(store.spool(spool));
    append(store, ", then in a file");
    EXPECT_EQ(spool.used(), some ? 16u : 25u);
    EXPECT_EQ(take(store, 100), some ? "memory, then in a file" : "in memory, then in a file");
    store.rewind();
    EXPECT_EQ(take(store, 100), "in memory, then in a file");
    store.reset(0);
    EXPECT_EQ(spool.used(), 0u);
  }
}

TEST(BodyStore, WritesNoMoreThanTheSpoolTakes) {
  Spool spool("", 10);
  BodyStore other(0);
  append(other, "four");
  ASSERT_FALSE(other.spool(spool));
  BodyStore store(0);
  ASSERT_FALSE(store.spool(spool));
  append(store, "12345");
  EXPECT_EQ(store.append(protocol::as_bytes("67")), BodyStore::kFull);
  append(store, "6");
  other.reset(0);
  append(store, "7890");
  EXPECT_EQ(take(store, 100), "1234567890");
  BodyStore late(0);
  append(late, "1");
  EXPECT_EQ(late.spool(spool), BodyStore::kFull);
  EXPECT_EQ(take(late, 100), "1") << "it stays in memory";
}

TEST(BodyStore, LongBodyThatStreamsGivesItsFileBack) {
  Spool spool("", 0);
  BodyStore store(0);
  ASSERT_FALSE(store.spool(spool));
  const std::string half = pattern(512 * 1024);
  append(store, half);
  EXPECT_EQ(take(store, half.size()), half);
  EXPECT_TRUE(store.spooling()) << "it would be needed again at once";
  append(store, half);
  EXPECT_EQ(take(store, half.size()), half);
  EXPECT_FALSE(store.spooling());
  EXPECT_EQ(spool.used(), 0u);
  append(store, "the rest");
  EXPECT_EQ(take(store, 100), "the rest");
}

TEST(BodyStore, KeepsWholeWhatIsGathered) {
  Spool spool("", 0);
  BodyStore store(2);
  append(store, "abcdef");
  store.keep(UINT64_MAX);
  ASSERT_FALSE(store.spool(spool));
  append(store, "ghi");
  EXPECT_EQ(take(store, 100), "abcdefghi");
  ASSERT_TRUE(store.rewindable());
  store.rewind();
  EXPECT_EQ(take(store, 100), "abcdefghi");
}

TEST(BodyStore, StreamsOnAfterTooMuchWasGathered) {
  BodyStore store(2);
  append(store, "ab");
  store.keep(UINT64_MAX);
  append(store, "cdef");
  store.keep(2);
  EXPECT_EQ(take(store, 100), "abcdef");
  EXPECT_FALSE(store.rewindable());
}

TEST(BodyStore, NothingMoreIsKeptOnceSomethingIsGone) {
  BodyStore store(2);
  append(store, "abcdef");
  EXPECT_EQ(take(store, 100), "abcdef");
  store.keep(UINT64_MAX);
  EXPECT_FALSE(store.rewindable());
}

}  // namespace
}  // namespace viaduct::daemon::bridge
