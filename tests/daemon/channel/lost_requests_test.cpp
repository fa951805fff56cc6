#include "daemon/channel/lost_requests.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::channel {
namespace {

using std::string_literals::operator""s;

LostRequests with(std::size_t count) {
  LostRequests requests;
  for (std::size_t i = 0; i < count; ++i) requests.add("GET /" + std::to_string(i));
  return requests;
}

TEST(LostRequests, ArriveAsTheyWereSent) {
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, LostRequests::kMax}) {
    const LostRequests sent = with(count);
    EXPECT_EQ(decode(encode(sent), sent.total), sent) << count;
  }
  LostRequests odd;
  odd.add("");
  odd.add("GET /\n\x1b[2J\xff");
  EXPECT_EQ(decode(encode(odd), odd.total), odd);
}

TEST(LostRequests, LinesAreLimited) {
  constexpr std::size_t kMax = LostRequests::kMax;
  for (const std::size_t count : {kMax - 1, kMax, kMax + 1}) {
    const LostRequests requests = with(count);
    EXPECT_EQ(requests.lines.size(), std::min(count, kMax));
    EXPECT_EQ(requests.total, count);
  }
  LostRequests sum = with(kMax - 1);
  sum.add(with(3));
  EXPECT_EQ(sum.lines.size(), kMax);
  EXPECT_EQ(sum.lines.back(), "GET /0");
  EXPECT_EQ(sum.total, kMax + 2);
}

TEST(LostRequests, LinesAreCut) {
  constexpr std::size_t kMaxLine = LostRequests::kMaxLine;
  for (const std::size_t size : {kMaxLine - 1, kMaxLine, kMaxLine + 1}) {
    LostRequests requests;
    requests.add(std::string(size, 'x'));
    EXPECT_EQ(requests.lines[0].size(), std::min(size, kMaxLine));
  }
}

TEST(LostRequests, NulCannotMakeALine) {
  LostRequests requests;
  requests.add("GET /a\0GET /b"s);
  EXPECT_EQ(decode(encode(requests), 1).lines, std::vector<std::string>{"GET /a?GET /b"});
}

TEST(LostRequests, WhatSomebodyElseMadeIsWithinTheLimits) {
  EXPECT_EQ(decode(std::string(100'000, '\0'), 100'000).lines.size(), LostRequests::kMax);
  EXPECT_EQ(decode(std::string(100'000, 'x'), 1).lines[0].size(), LostRequests::kMaxLine);
  EXPECT_EQ(decode("a\0b\0c"s, 2).lines, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(decode("a\0"s, 0).lines.empty());
  EXPECT_TRUE(decode("", 5).lines.empty());
  EXPECT_EQ(decode("", 5).total, 5u);
}

}  // namespace
}  // namespace viaduct::daemon::channel
