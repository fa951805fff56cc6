#include "daemon/bridge/request_listing.hpp"

#include <gtest/gtest.h>

#include "daemon/channel/lost_requests.hpp"

namespace viaduct::daemon::bridge {
namespace {

RequestEntry aged(int milliseconds) {
  RequestEntry entry;
  entry.age = std::chrono::milliseconds(milliseconds);
  return entry;
}

TEST(RequestListingTest, TextsOfClientsAreCutAndEscaped) {
  protocol::Pairs params;
  params.add("REQUEST_METHOD", "GET");
  params.add("REQUEST_URI", "/a\n\xff" + std::string(300, 'x'));
  params.add("REQUEST_ID", std::string(65, 'i'));
  const RequestEntry entry = describe_request(params);
  EXPECT_EQ(entry.method, "GET");
  EXPECT_EQ(entry.target, "/a\\n\\xff" + std::string(252, 'x') + "...");
  EXPECT_EQ(entry.id, std::string(64, 'i') + "...");
  EXPECT_EQ(describe_request({}), RequestEntry{});
}

TEST(RequestListingTest, SummaryIsALineOfBytesAsTheyCame) {
  protocol::Pairs params;
  params.add("REQUEST_METHOD", "GET");
  params.add("REQUEST_URI", "/a\n\xff");
  EXPECT_EQ(summarize_request(params, std::chrono::milliseconds(7), "working"),
            "GET /a\n\xff age_ms=7 working");
  params.add("REQUEST_ID", "5f");
  EXPECT_EQ(summarize_request(params, std::chrono::milliseconds(0), "streaming"),
            "GET /a\n\xff id=5f age_ms=0 streaming");
  EXPECT_EQ(summarize_request({}, std::chrono::milliseconds(0), "working"), "- - age_ms=0 working");
}

TEST(RequestListingTest, GreatestSummaryIsNotCutWhereItTravels) {
  protocol::Pairs params;
  params.add("REQUEST_METHOD", std::string(10'000, 'M'));
  params.add("REQUEST_URI", std::string(10'000, '/'));
  params.add("REQUEST_ID", std::string(10'000, 'i'));
  const std::string line = summarize_request(params, std::chrono::milliseconds::max(), "streaming");
  EXPECT_LE(line.size(), channel::LostRequests::kMaxLine);
  EXPECT_NE(line.find(std::string(256, '/') + "..."), std::string::npos);
}

TEST(RequestListingTest, TheFirstIdThatIsNotEmptyCounts) {
  protocol::Pairs params;
  params.add("HTTP_X_REQUEST_ID", "client");
  EXPECT_EQ(describe_request(params).id, "client");
  params.add("UNIQUE_ID", "apache");
  EXPECT_EQ(describe_request(params).id, "apache");
  params.add("REQUEST_ID", "");
  EXPECT_EQ(describe_request(params).id, "apache");
  params.set("REQUEST_ID", "nginx");
  EXPECT_EQ(describe_request(params).id, "nginx");
}

TEST(RequestListingTest, TheOldestOfAllThreadsAreKept) {
  RequestListing first{{}, RequestListing::kMax + 5};
  for (std::size_t i = 0; i < RequestListing::kMax; ++i) first.oldest.push_back(aged(10));
  const RequestListing second{{aged(30), aged(5), aged(20)}, 3};
  const RequestListing both = merge({first, second});
  EXPECT_EQ(both.total, RequestListing::kMax + 8);
  ASSERT_EQ(both.oldest.size(), RequestListing::kMax);
  EXPECT_EQ(both.oldest[0].age.count(), 30);
  EXPECT_EQ(both.oldest[1].age.count(), 20);
  EXPECT_EQ(both.oldest.back().age.count(), 10);
}

TEST(RequestListingTest, OnlyTheOldestOfAllThreadsKeepTheirStacks) {
  RequestListing parts[2];
  for (std::size_t i = 0; i < RequestListing::kMaxStacks; ++i) {
    for (RequestListing& part : parts) {
      part.oldest.push_back(aged(1000 - static_cast<int>(i)));
      part.oldest.back().stack = {"frame"};
      ++part.total;
    }
    parts[1].oldest.back().stack.clear();
    parts[1].oldest.back().no_stack = "why";
  }
  const RequestListing both = merge({parts[0], parts[1]});
  ASSERT_EQ(both.oldest.size(), 2 * RequestListing::kMaxStacks);
  for (std::size_t i = 0; i < both.oldest.size(); ++i) {
    const RequestEntry& entry = both.oldest[i];
    EXPECT_EQ(entry.stack.size() + (entry.no_stack.empty() ? 0 : 1),
              i < RequestListing::kMaxStacks ? 1u : 0u)
        << i;
  }
}

TEST(RequestListingTest, EveryMemberIsTold) {
  EXPECT_TRUE(to_listed({}).empty());
  RequestEntry entry{"7", "GET", "/a", std::chrono::milliseconds(12), 900, "working"};
  entry.stack = {"#0 a", "#1 c"};
  entry.no_stack = "why";
  const std::vector<channel::ListedRequest> wanted{{.id = "7",
                                                    .method = "GET",
                                                    .target = "/a",
                                                    .state = "working",
                                                    .no_stack = "why",
                                                    .age_ms = 12,
                                                    .worker_pid = 900,
                                                    .stack = {"#0 a", "#1 c"}}};
  EXPECT_EQ(to_listed({{entry}, 1}), wanted);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
