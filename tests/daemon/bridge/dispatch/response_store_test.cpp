#include "daemon/bridge/dispatch/response_store.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using config::ResponseBuffers;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 26) % 26);
  return text;
}

std::string take(ResponseStore& store, std::size_t at_most = SIZE_MAX, std::size_t step = 1000) {
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

TEST(Place, MemoryThenFileThenOver) {
  constexpr ResponseBuffers kBoth{.memory = 100, .file = 1000};
  constexpr std::uint64_t kMost = UINT64_MAX;
  struct Row {
    std::size_t bytes;
    ResponseBuffers limits;
    Stored stored;
    Placing placing;
  };
  const Row rows[] = {
      {0, kBoth, {}, {0, 0, 0}},
      {99, kBoth, {}, {99, 0, 0}},
      {100, kBoth, {}, {100, 0, 0}},
      {101, kBoth, {}, {100, 1, 0}},
      {1099, kBoth, {}, {100, 999, 0}},
      {1100, kBoth, {}, {100, 1000, 0}},
      {1101, kBoth, {}, {100, 1000, 1}},
      {1, kBoth, {.in_memory = 99}, {1, 0, 0}},
      {1, kBoth, {.in_memory = 100}, {0, 1, 0}},
      {1, kBoth, {.in_memory = 200}, {0, 1, 0}},
      {5, kBoth, {.in_memory = 50, .in_file = 10, .file_waits = true}, {0, 5, 0}},
      {5, kBoth, {.in_memory = 50, .in_file = 998, .file_waits = true}, {0, 2, 3}},
      {5, kBoth, {.in_file = 1000, .file_waits = true}, {0, 0, 5}},
      {5, kBoth, {.over_waits = true}, {0, 0, 5}},
      {5, {.memory = 0, .file = 0}, {}, {0, 0, 5}},
      {5, {.memory = 4, .file = 0}, {}, {4, 0, 1}},
      {5, {.memory = 0, .file = 4}, {}, {0, 4, 1}},
      {5, {.memory = kMost, .file = kMost}, {.in_memory = kMost - 1}, {1, 4, 0}},
      {5, {.memory = 0, .file = kMost}, {.in_file = kMost - 4, .file_waits = true}, {0, 4, 1}},
  };
  for (const Row& row : rows) {
    const Placing placing = place(row.bytes, row.limits, row.stored);
    EXPECT_EQ(placing, row.placing)
        << &row - rows << ": " << placing.memory << ' ' << placing.file << ' ' << placing.over;
  }
}

TEST(ResponseStore, IsFullBeyondBothLimits) {
  for (const std::size_t size : {1U, 100U, 101U, 1099U, 1100U, 1101U, 5000U}) {
    Spool spool("", 0);
    ResponseStore store;
    store.reset({.memory = 100, .file = 1000});
    ASSERT_FALSE(store.append(spool, protocol::as_bytes(pattern(size))));
    EXPECT_EQ(store.full(), size > 1100) << size;
    EXPECT_EQ(spool.used(), std::min<std::size_t>(size, 1100) - std::min<std::size_t>(size, 100));
    EXPECT_EQ(take(store), pattern(size)) << size;
    EXPECT_TRUE(store.empty());
    EXPECT_FALSE(store.full());
    EXPECT_EQ(spool.used(), 0U);
    EXPECT_EQ(store.memory(), 0U);
  }
}

TEST(ResponseStore, KeepsTheOrderOfBytesThatComeAndGo) {
  Spool spool("", 0);
  ResponseStore store;
  store.reset({.memory = 1000, .file = 20'000});
  const std::string all = pattern(400'000);
  std::string got;
  std::size_t sent = 0;
  // Pieces of changing sizes: the store runs full, and empty, several times.
  for (std::size_t turn = 0; got.size() < all.size(); ++turn) {
    const std::size_t count = std::min<std::size_t>(turn * 37 % 5000, all.size() - sent);
    if (!store.full()) {
      ASSERT_FALSE(store.append(spool, protocol::as_bytes(all).subspan(sent, count)));
      sent += count;
    }
    got += take(store, turn % 64 < 32 ? turn * 11 % 900 : 9000, 700);
  }
  EXPECT_EQ(got, all);
  EXPECT_TRUE(store.empty());
  EXPECT_EQ(spool.used(), 0U);
}

TEST(ResponseStore, FileIsUsedAgainOnceItWasRead) {
  Spool spool("", 0);
  ResponseStore store;
  store.reset({.memory = 10, .file = 100});
  for (int i = 0; i < 50; ++i) {
    ASSERT_FALSE(store.append(spool, protocol::as_bytes(pattern(110))));
    ASSERT_FALSE(store.full()) << i;
    ASSERT_EQ(take(store), pattern(110)) << i;
  }
}

TEST(ResponseStore, SpoolAtItsLimitFillsTheStore) {
  for (const std::uint64_t limit : {99U, 100U, 101U}) {
    Spool spool("", limit);
    ResponseStore store;
    store.reset({.memory = 100, .file = 1000});
    const auto error = store.append(spool, protocol::as_bytes(pattern(150)));
    EXPECT_EQ(error == SpoolFile::kFull, limit < 100) << limit;
    EXPECT_EQ(store.full(), limit < 100) << limit;
    EXPECT_EQ(spool.used(), limit < 100 ? 0U : 50U) << limit;
    EXPECT_EQ(take(store), pattern(150)) << limit;
    EXPECT_FALSE(store.full()) << limit;
  }
}

TEST(ResponseStore, WhatTheFileRefusesComesBehindIt) {
  Spool spool("", 100);
  ResponseStore store;
  store.reset({.memory = 0, .file = 1000});
  const std::string all = pattern(130);
  ASSERT_FALSE(store.append(spool, protocol::as_bytes(all).first(40)));
  EXPECT_TRUE(store.append(spool, protocol::as_bytes(all).subspan(40, 60)));
  EXPECT_TRUE(store.full());
  ASSERT_FALSE(store.append(spool, protocol::as_bytes(all).subspan(100)));
  EXPECT_EQ(take(store), all);
}

TEST(ResponseStore, WithoutADirectoryItIsFullBeyondItsMemory) {
  Spool spool("/nonexistent", 0);
  ResponseStore store;
  store.reset({.memory = 100, .file = 1000});
  EXPECT_FALSE(store.append(spool, protocol::as_bytes(pattern(100))));
  EXPECT_FALSE(store.full());
  EXPECT_EQ(store.append(spool, protocol::as_bytes("x")), std::errc::no_such_file_or_directory);
  EXPECT_TRUE(store.full());
  EXPECT_EQ(take(store), pattern(100) + "x");
}

TEST(ResponseStore, WithoutFileOnlyMemoryCounts) {
  Spool spool("", 0);
  ResponseStore store;
  store.reset({.memory = 100, .file = 1000});
  store.memory_only();
  ASSERT_FALSE(store.append(spool, protocol::as_bytes(pattern(100))));
  EXPECT_FALSE(store.full());
  ASSERT_FALSE(store.append(spool, protocol::as_bytes("x")));
  EXPECT_TRUE(store.full());
  EXPECT_EQ(spool.used(), 0U);
  store.spill(spool);
  EXPECT_EQ(spool.used(), 0U);
}

TEST(ResponseStore, SpillsItsMemoryInOrder) {
  Spool spool("", 0);
  ResponseStore store;
  store.reset({.memory = 10'000, .file = 10'000});
  const std::string all = pattern(15'000);
  ASSERT_FALSE(store.append(spool, protocol::as_bytes(all).first(9000)));
  EXPECT_EQ(take(store, 1000), all.substr(0, 1000));
  EXPECT_GE(store.memory(), 8000U);
  store.spill(spool);
  EXPECT_EQ(store.memory(), 0U);
  EXPECT_EQ(spool.used(), 8000U);
  ASSERT_FALSE(store.append(spool, protocol::as_bytes(all).subspan(9000, 2000)));
  store.spill(spool);
  EXPECT_FALSE(store.full());
  EXPECT_EQ(take(store), all.substr(1000, 10'000));
}

TEST(ResponseStore, UsableWithEitherLimit) {
  ResponseStore store;
  EXPECT_FALSE(store.usable());
  store.reset({.memory = 1, .file = 0});
  EXPECT_TRUE(store.usable());
  store.reset({.memory = 0, .file = 1});
  EXPECT_TRUE(store.usable());
  store.memory_only();
  EXPECT_FALSE(store.usable());
}

}  // namespace
}  // namespace viaduct::daemon::bridge
