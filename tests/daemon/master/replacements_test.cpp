#include "daemon/master/replacements.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using namespace std::chrono_literals;

const TokenBucket::Clock::time_point kStart = TokenBucket::Clock::time_point{} + 1000h;
constexpr auto kAtOnce = static_cast<std::uint64_t>(Replacements::kAtOnce);

std::size_t due(Replacements& replacements, TokenBucket::Clock::time_point now) {
  std::size_t count = 0;
  while (replacements.next(now)) ++count;
  return count;
}

TEST(ReplacementsTest, ManyAtOnceAndTheOthersInTurn) {
  for (const std::uint64_t asked : {kAtOnce - 1, kAtOnce, kAtOnce + 1}) {
    Replacements replacements;
    for (std::uint64_t serial = 1; serial <= asked; ++serial) replacements.ask(serial, "hangs");
    EXPECT_EQ(due(replacements, kStart), std::min(asked, kAtOnce));
    EXPECT_EQ(replacements.empty(), asked <= kAtOnce);
    if (replacements.empty()) continue;
    EXPECT_EQ(due(replacements, kStart + replacements.wait(kStart) - 1ms), 0u);
    const auto last = replacements.next(kStart + replacements.wait(kStart));
    ASSERT_TRUE(last);
    EXPECT_EQ(last->serial, asked);
    EXPECT_EQ(last->reason, "hangs");
  }
}

TEST(ReplacementsTest, AskingAgainChangesNothing) {
  Replacements replacements;
  for (int i = 0; i < 1000; ++i) replacements.ask(7, "hangs");
  EXPECT_EQ(due(replacements, kStart), 1u);
}

TEST(ReplacementsTest, AskingForEverIsSlow) {
  Replacements replacements;
  std::uint64_t serial = 0;
  std::size_t replaced = 0;
  for (auto passed = 0ms; passed < 60s; passed += 10ms) {
    for (int i = 0; i < 3; ++i) replacements.ask(++serial, "");
    replaced += due(replacements, kStart + passed);
    replacements.clear();
  }
  EXPECT_LE(replaced, 60 * Replacements::kPerSecond + Replacements::kAtOnce);
}

}  // namespace
}  // namespace viaduct::daemon::master
