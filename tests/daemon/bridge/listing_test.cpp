// The list of requests in flight that the master asks for.

#include <functional>
#include <map>
#include <utility>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/channel/request_list.hpp"
#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using channel::Type;

// The list as the control API writes it.
std::string text_of(std::string_view answer) {
  const auto requests = channel::decode_list(answer);
  if (!requests) return "(cannot be read)";
  std::string text = "[";
  for (const channel::ListedRequest& request : *requests) {
    boost::json::object members{
        {"id", request.id},         {"method", request.method},         {"target", request.target},
        {"age_ms", request.age_ms}, {"worker_pid", request.worker_pid}, {"state", request.state}};
    if (!request.stack.empty()) {
      members["stack"] = boost::json::array(request.stack.begin(), request.stack.end());
    }
    if (!request.no_stack.empty()) members["no_stack"] = request.no_stack;
    text += boost::json::serialize(members);
  }
  return text + "]";
}

class Listing : public BridgeTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  Listing() { settings.threads = GetParam(); }

  // The number of requests in each state.
  std::size_t count(std::string_view state) const {
    return occurrences("\"state\":\"" + std::string(state) + "\"");
  }
  std::size_t occurrences(std::string_view wanted) const {
    std::size_t found = 0;
    for (auto at = list_.find(wanted); at != std::string::npos; at = list_.find(wanted, at + 1)) {
      ++found;
    }
    return found;
  }
  // With the stacks of the oldest if so wished.
  void put(std::uint32_t app, bool stacks) {
    channel::Message question;
    question.type = Type::list_requests;
    question.app = app;
    question.serial = ++questions_;
    question.count = stacks ? 1 : 0;
    bridge().send(question);
  }
  void ask(std::uint32_t app = 0) {
    put(app, false);
    receive();
  }
  void receive() {
    ASSERT_TRUE(bridge().wait_for(Type::listing, questions_));
    EXPECT_EQ(bridge().last(Type::listing)->serial, questions_);
    EXPECT_EQ(bridge().last(Type::listing)->count, 0u);
    list_ = text_of(bridge().answer());
  }
  // Asks for stacks, and answers for the worker, until the list has a text so many times: on a slow
  // machine not every answer is in time.
  void ask_stacks(FakeWorker& worker, const std::function<std::string(const WorkerRequest&)>& stack,
                  std::string_view text, std::size_t times) {
    std::map<const WorkerRequest*, unsigned> answered;
    const auto answer = [&] {
      for (const auto& request : worker.requests) {
        if (request->traces == std::exchange(answered[request.get()], request->traces)) continue;
        request->trace(stack(*request));
      }
    };
    until(
        [&] {
          put(0, true);
          until(
              [&] {
                answer();
                return bridge().count(Type::listing) == questions_;
              },
              "a list");
          receive();
          return occurrences(text) == times;
        },
        text);
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

using ::testing::HasSubstr;
using ::testing::Not;

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

TEST_P(Listing, HandlersAreAskedForTheirStacks) {
  start();
  FakeWorker& worker = add_worker();
  const auto first = connect();
  first->get(1, "/first");
  const auto second = connect();
  second->get(1, "/second");
  until([&] { return worker.requests.size() == 2; }, "the requests");
  const auto known = worker.requests.front();
  ask_stacks(
      worker,
      [&](const WorkerRequest& request) {
        return &request == known.get() ? "#0 read at a.cpp:1\n#1 \x1b at a.cpp:2\n" : "";
      },
      R"("no_stack":"its worker does not know")", 1);
  EXPECT_THAT(list_, HasSubstr(R"("stack":["#0 read at a.cpp:1","#1 \\x1b at a.cpp:2"])"));
  ask();
  EXPECT_THAT(list_, Not(HasSubstr("stack"))) << "only on demand";
  for (const auto& request : worker.requests) request->respond("ok");
  ASSERT_TRUE(first->wait(1));
  ASSERT_TRUE(second->wait(1));
}

TEST_P(Listing, WhyThereIsNoStack) {
  start();
  FakeWorker& worker = add_worker(plain(1));
  const auto working = connect();
  working->get(1, "/working");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  const auto queued = connect();
  queued->get(1, "/queued");
  expect(1, 1, 0);
  put(0, true);
  receive();
  EXPECT_THAT(list_, HasSubstr(R"("state":"working","no_stack":"its worker cannot say")"));
  EXPECT_THAT(list_, HasSubstr(R"("state":"queued","no_stack":"no worker has it")"));
  request->respond("ok");
  worker.next_request()->respond("ok");
  ASSERT_TRUE(queued->wait(1));
}

TEST_P(Listing, WhoDoesNotAnswerIsNotWaitedForAndNotAskedAgain) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/silent");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  for (int i = 0; i < 2; ++i) {
    put(0, true);
    receive();
    EXPECT_THAT(list_, HasSubstr(R"("no_stack":"no answer in time")"));
    EXPECT_EQ(request->traces, 1u);
  }
  // Once the answer has come after all, it is.
  request->trace("#0 too late\n");
  until(
      [&] {
        put(0, true);
        receive();
        return request->traces == 2;
      },
      "another question");
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
}

TEST_P(Listing, RequestThatEndsMeanwhileHasNoStack) {
  start();
  FakeWorker& worker = add_worker();
  until(
      [&] {
        const auto client = connect();
        client->get(1, "/brief");
        const auto request = worker.next_request();
        put(0, true);
        until([&] { return request->traces == 1; }, "the question");
        request->respond("ok");
        receive();
        return list_.find(R"("no_stack":"it has left its worker")") != std::string::npos;
      },
      "one that ends in time");
}

TEST_P(Listing, OnlyTheOldestAreAsked) {
  constexpr std::size_t kAsked = 50;
  start();
  FakeWorker& worker = add_worker({.max_reqs = 200});
  // On one connection, so that all are on one thread.
  const auto client = connect();
  for (std::size_t count = 1; count <= kAsked + 1; ++count) {
    // The last one is younger than all others.
    if (count > kAsked) until([&] { return worker.requests.size() == kAsked; }, "the oldest");
    client->get(static_cast<protocol::RequestId>(count), "/", true);
  }
  until([&] { return worker.requests.size() == kAsked + 1; }, "the youngest");
  ask_stacks(
      worker, [](const WorkerRequest&) { return "#0 here\n"; }, R"("stack":["#0 here"])", kAsked);
  EXPECT_EQ(worker.requests.back()->traces, 0u);
  EXPECT_THAT(list_, Not(HasSubstr("no_stack")));
  for (const auto& request : worker.requests) request->respond("ok");
  ASSERT_TRUE(client->wait(kAsked + 1));
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
