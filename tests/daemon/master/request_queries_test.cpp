#include "daemon/master/request_queries.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using Lists = std::vector<control::RequestList>;

class RequestQueriesTest : public ::testing::Test {
 protected:
  std::uint64_t ask(const std::vector<unsigned>& generations) {
    const std::uint64_t question = queries.next();
    queries.begin(generations, [this](Lists said) { lists = std::move(said); });
    return question;
  }
  void run() {
    io.restart();
    io.run();
  }

  boost::asio::io_context io;
  RequestQueries queries{io, std::chrono::milliseconds(50)};
  std::optional<Lists> lists;
};

std::vector<channel::ListedRequest> one(std::string_view id) {
  channel::ListedRequest request;
  request.id = id;
  return {request};
}

TEST_F(RequestQueriesTest, IsDoneWhenAllHaveAnswered) {
  const auto question = ask({3, 4});
  queries.answer(question, 4, 5, one("4"));
  EXPECT_FALSE(lists);
  queries.answer(question, 3, 0, one("3"));
  ASSERT_TRUE(lists);
  ASSERT_EQ(lists->size(), 2u);
  EXPECT_EQ(lists->at(0).generation, 3u);
  EXPECT_EQ(lists->at(0).requests, one("3"));
  EXPECT_TRUE(lists->at(0).answered);
  EXPECT_EQ(lists->at(1).requests, one("4"));
  EXPECT_EQ(lists->at(1).omitted, 5u);
  run();
}

TEST_F(RequestQueriesTest, IsDoneInTimeWithoutThoseThatDidNotAnswer) {
  const auto question = ask({3, 4});
  queries.answer(question, 3, 0, one("3"));
  run();
  ASSERT_TRUE(lists);
  EXPECT_TRUE(lists->at(0).answered);
  EXPECT_FALSE(lists->at(1).answered);
  EXPECT_TRUE(lists->at(1).requests.empty());
  lists.reset();
  queries.answer(question, 4, 0, one("4"));
  EXPECT_FALSE(lists) << "too late";
}

TEST_F(RequestQueriesTest, AnswersThatFitNoQuestionAreIgnored) {
  const auto question = ask({3});
  queries.answer(question + 1, 3, 0, one("1"));
  queries.answer(question, 9, 0, one("1"));
  EXPECT_FALSE(lists);
  queries.answer(question, 3, 0, one("3"));
  ASSERT_TRUE(lists);
  EXPECT_EQ(lists->at(0).requests, one("3"));
  run();
}

TEST_F(RequestQueriesTest, WithoutABridgeTheListIsEmptyAtOnce) {
  ask({});
  EXPECT_FALSE(lists);
  run();
  ASSERT_TRUE(lists);
  EXPECT_TRUE(lists->empty());
}

}  // namespace
}  // namespace viaduct::daemon::master
