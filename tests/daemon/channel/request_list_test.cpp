#include "daemon/channel/request_list.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace viaduct::daemon::channel {
namespace {

ListedRequest full() {
  return {.id = "7",
          .method = "GET",
          .target = "/a\"\x1b\xff",
          .state = "working",
          .no_stack = "",
          .age_ms = 1ull << 40,
          .worker_pid = 900,
          .stack = {"#0 a", "", "#2 c"}};
}

using Requests = std::vector<ListedRequest>;

TEST(RequestListTest, ArrivesAsItWasSent) {
  const Requests requests{full(), {}, full()};
  const EncodedList list = encode(requests);
  EXPECT_EQ(list.requests, 3u);
  EXPECT_EQ(decode_list(list.bytes), requests);
  EXPECT_EQ(decode_list(encode(Requests{}).bytes), Requests{});
}

TEST(RequestListTest, EveryTruncationIsRefused) {
  const std::string one = encode({full()}).bytes;
  const std::string two = encode({full(), full()}).bytes;
  for (std::size_t size = 1; size < two.size(); ++size) {
    EXPECT_EQ(decode_list(two.substr(0, size)).has_value(), size == one.size()) << size;
  }
}

TEST(RequestListTest, TextsAndStacksAreCut) {
  constexpr std::size_t kText = ListedRequest::kMaxText;
  constexpr std::size_t kFrames = ListedRequest::kMaxFrames;
  for (const std::size_t more : {0, 1}) {
    ListedRequest request = full();
    request.target = std::string(kText + more, 'x');
    request.stack.assign(kFrames + more, "frame");
    const auto decoded = decode_list(encode({request}).bytes);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->front().target.size(), kText);
    EXPECT_EQ(decoded->front().stack.size(), kFrames);
  }
}

TEST(RequestListTest, RequestsAreLimited) {
  const std::string one = encode({{}}).bytes;
  for (const std::size_t count : {kMaxListed - 1, kMaxListed, kMaxListed + 1}) {
    EXPECT_EQ(encode(Requests(count)).requests, std::min(count, kMaxListed));
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i) bytes += one;
    EXPECT_EQ(decode_list(bytes).has_value(), count <= kMaxListed) << count;
  }
}

TEST(RequestListTest, StacksAreLimited) {
  const std::string one = encode({full()}).bytes;
  for (const std::size_t count : {kMaxListedStacks - 1, kMaxListedStacks, kMaxListedStacks + 1}) {
    const auto decoded = decode_list(encode(Requests(count, full())).bytes);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->back().stack.empty(), count > kMaxListedStacks);
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i) bytes += one;
    EXPECT_EQ(decode_list(bytes).has_value(), count <= kMaxListedStacks) << count;
  }
}

TEST(RequestListTest, BytesAreLimited) {
  const std::size_t one = encode({full()}).bytes.size();
  for (const std::size_t limit : {2 * one - 1, 2 * one, 2 * one + 1}) {
    const EncodedList list = encode({full(), full(), full()}, limit);
    EXPECT_EQ(list.requests, limit / one);
    EXPECT_LE(list.bytes.size(), limit);
  }
  EXPECT_FALSE(decode_list(std::string(kMaxListBytes + 1, '\0')));
}

TEST(RequestListTest, LengthsThatAreNotThereAreRefused) {
  for (const std::uint32_t size : {5u, 2049u, UINT32_MAX}) {
    std::string bytes(reinterpret_cast<const char*>(&size), sizeof(size));
    bytes += "abcd";
    EXPECT_FALSE(decode_list(bytes)) << size;
  }
}

}  // namespace
}  // namespace viaduct::daemon::channel
