// The list of requests in flight that the master asks for.

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using channel::Type;

class Listing : public BridgeTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  Listing() { settings.threads = GetParam(); }

  // The number of requests in each state.
  std::size_t count(std::string_view state) const {
    const std::string wanted = "\"state\":\"" + std::string(state) + "\"";
    std::size_t found = 0;
    for (auto at = list_.find(wanted); at != std::string::npos; at = list_.find(wanted, at + 1)) {
      ++found;
    }
    return found;
  }
  void ask(std::uint32_t app = 0) {
    channel::Message question;
    question.type = Type::list_requests;
    question.app = app;
    question.serial = ++questions_;
    bridge().send(question);
    ASSERT_TRUE(bridge().wait_for(Type::listing, questions_));
    EXPECT_EQ(bridge().last(Type::listing)->serial, questions_);
    EXPECT_EQ(bridge().last(Type::listing)->count, 0u);
    list_ = bridge().sealed();
  }
  // Asks again until so many are in each state.
  void expect(std::size_t queued, std::size_t working, std::size_t streaming) {
    until(
        [&] {
          ask();
          return count("queued") == queued && count("working") == working &&
                 count("streaming") == streaming;
        },
        "a list of " + std::to_string(queued) + "/" + std::to_string(working) + "/" +
            std::to_string(streaming));
  }

  std::string list_;

 private:
  std::size_t questions_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Threads, Listing, ::testing::Values(1, 4),
                         [](const auto& test) { return std::to_string(test.param); });

TEST_P(Listing, ShowsEveryRequestAndItsState) {
  start();
  ask();
  EXPECT_EQ(list_, "[]");
  FakeWorker& worker = add_worker(plain(2));
  std::vector<std::unique_ptr<FrontClient>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(connect());
    clients.back()->get(1, "/" + std::to_string(i));
  }
  const auto first = worker.next_request();
  ASSERT_TRUE(first);
  expect(3, 2, 0);
  for (int i = 0; i < 5; ++i) {
    EXPECT_NE(list_.find("\"method\":\"GET\",\"target\":\"/" + std::to_string(i) + "\""),
              std::string::npos);
  }
  EXPECT_NE(list_.find("\"worker_pid\":1001"), std::string::npos) << list_;
  first->write("Content-Type: text/plain\r\n\r\nsome");
  expect(3, 1, 1);
  first->end();
  std::size_t answered = 1;
  until(
      [&] {
        for (; answered < worker.requests.size(); ++answered) {
          worker.requests[answered]->respond("ok");
        }
        ask();
        return list_ == "[]";
      },
      "an empty list");
}

TEST_P(Listing, OtherAppsAreNotShown) {
  config::BridgeApp blog;
  blog.name = "blog";
  blog.score = 1;
  settings.apps.push_back(blog);
  start();
  add_worker();
  const auto client = connect();
  client->get(1, "/");
  expect(0, 1, 0);
  ask(1);
  EXPECT_EQ(list_, "[]");
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
