#include "daemon/bridge/dispatch/stack_query.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

class StackQueryTest : public ::testing::Test {
 protected:
  StackQueryTest() { listing.oldest.resize(3); }

  StackQuery make() {
    return {listing, [this](RequestListing said) {
              EXPECT_FALSE(result) << "once";
              result = std::move(said);
            }};
  }
  const RequestEntry& entry(std::size_t place) const { return result->oldest.at(place); }

  RequestListing listing;
  std::optional<RequestListing> result;
};

TEST_F(StackQueryTest, IsFinishedAtOnceWhenNobodyIsAsked) {
  StackQuery query = make();
  query.fail(1, "why not");
  EXPECT_FALSE(result);
  query.close();
  ASSERT_TRUE(result);
  EXPECT_TRUE(query.finished());
  EXPECT_EQ(entry(0), RequestEntry{});
  EXPECT_EQ(entry(1).no_stack, "why not");
}

TEST_F(StackQueryTest, WaitsForAllThatAreAsked) {
  StackQuery query = make();
  for (std::size_t i = 0; i < 3; ++i) query.expect(i);
  query.close();
  query.answer(2, "#0 a\n\n#1 b\tc\xff\n");
  query.answer(0, "\n");
  EXPECT_FALSE(result);
  query.fail(1, "it has ended");
  ASSERT_TRUE(result);
  EXPECT_EQ(entry(2).stack, (std::vector<std::string>{"#0 a", "#1 b\\tc\\xff"}));
  EXPECT_EQ(entry(2).no_stack, "");
  EXPECT_TRUE(entry(0).stack.empty());
  EXPECT_EQ(entry(0).no_stack, "its worker does not know");
  EXPECT_EQ(entry(1).no_stack, "it has ended");
}

TEST_F(StackQueryTest, AnswersWhileOthersAreStillToBeAskedDoNotFinishIt) {
  StackQuery query = make();
  query.expect(0);
  query.answer(0, "#0 a");
  EXPECT_FALSE(result);
  query.expect(1);
  query.close();
  EXPECT_FALSE(result);
  query.answer(1, "#0 b");
  ASSERT_TRUE(result);
  EXPECT_EQ(entry(0).stack, std::vector<std::string>{"#0 a"});
}

TEST_F(StackQueryTest, WhatComesTooLateIsIgnored) {
  StackQuery query = make();
  query.expect(0);
  query.expect(1);
  query.close();
  query.answer(0, "#0 a");
  query.expire();
  ASSERT_TRUE(result);
  EXPECT_EQ(entry(0).stack.size(), 1u);
  EXPECT_EQ(entry(1).no_stack, "no answer in time");
  query.answer(1, "#0 b");
  query.fail(1, "too late");
  query.expire();
  EXPECT_TRUE(entry(1).stack.empty());
}

}  // namespace
}  // namespace viaduct::daemon::bridge
