// What the slow log says, and what a worker is asked for it.

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using channel::Type;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

class SlowRequest : public BridgeTest {
 protected:
  std::string log_line(std::string_view text) {
    EXPECT_TRUE(bridge().wait_for_log(text));
    const std::string& log = bridge().log();
    const std::size_t at = log.find(text);
    if (at == std::string::npos) return {};
    const std::size_t begin = log.rfind('\n', at) + 1;
    return log.substr(begin, log.find('\n', at) - begin);
  }
};

TEST_F(SlowRequest, IsLoggedOnceWithWhatItsHandlerDoes) {
  shop(settings).timeouts.slow = milliseconds(100);
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->begin(1, variables("GET", "/slow\n?x=1", {{"REQUEST_ID", "abc"}}));
  client->body(1, "");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->traces == 1; }, "the question");
  request->trace("read at a.cpp:1\nmain at \"a.cpp\":2\n");
  const std::string line = log_line("slow request");
  EXPECT_THAT(line, HasSubstr("app=shop worker=shop/"));
  EXPECT_THAT(line, HasSubstr(" id=abc method=GET target=\"/slow\\n?x=1\" elapsed_ms="));
  EXPECT_THAT(line, HasSubstr("trace=\"read at a.cpp:1 | main at \\\"a.cpp\\\":2\""));
  request->respond("late");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_EQ(request->traces, 1u);
  EXPECT_EQ(bridge().log_count("slow request"), 1u);
}

TEST_F(SlowRequest, EndsBeforeItsWorkerAnswers) {
  shop(settings).timeouts.slow = milliseconds(100);
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/slow");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->traces == 1; }, "the question");
  EXPECT_EQ(bridge().log_count("slow request"), 0u);
  request->respond("late");
  ASSERT_TRUE(client->wait(1));
  EXPECT_THAT(log_line("slow request"), HasSubstr("trace=\"\""));
}

TEST_F(SlowRequest, WorkerThatNeverAnswersIsNotWaitedFor) {
  shop(settings).timeouts.slow = milliseconds(100);
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/slow");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_THAT(log_line("slow request"), HasSubstr("trace=\"\""));
  request->trace("too late\n");
  request->respond("late");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(bridge().log_count("slow request"), 1u);
}

TEST_F(SlowRequest, PlainWorkersAreNotAsked) {
  shop(settings).timeouts.slow = milliseconds(100);
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = connect();
  client->get(1, "/slow");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_THAT(log_line("slow request"), HasSubstr("trace=\"\""));
  request->respond("late");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
}

TEST_F(SlowRequest, MayWaitForAWorker) {
  shop(settings).timeouts.slow = milliseconds(100);
  start();
  FakeWorker& worker = add_worker(plain());
  const auto first = connect();
  first->get(1, "/first");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  const auto second = connect();
  second->get(1, "/second");
  EXPECT_THAT(log_line("target=/second"), HasSubstr("trace=\"(waiting for a worker)\""));
  request->respond("ok");
  worker.next_request()->respond("ok");
  ASSERT_TRUE(second->wait(1));
}

TEST_F(SlowRequest, TimeOutIsLoggedWithWhatTheHandlerDidBefore) {
  shop(settings).timeouts.request = milliseconds(800);
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/stuck");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->traces == 1; }, "the question");
  request->trace("spin at a.cpp:1\n");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 504);
  const std::string line = log_line("request aborted: timeouts.request passed");
  EXPECT_THAT(line, HasSubstr("trace=\"spin at a.cpp:1\""));
  EXPECT_THAT(line, HasSubstr("target=/stuck"));
  until([&] { return request->aborted; }, "the abort");
  EXPECT_TRUE(request->traced_first);
  request->end();
  until([&] { return score().active == 0; }, "the slot free");
  EXPECT_EQ(bridge().log_count("request aborted: timeouts.request passed"), 1u);
}

TEST_F(SlowRequest, AnswerMayComeBehindTheAbort) {
  shop(settings).timeouts.request = milliseconds(200);
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/stuck");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  ASSERT_TRUE(client->wait(1));
  until([&] { return request->aborted; }, "the abort");
  EXPECT_TRUE(request->traced_first);
  EXPECT_EQ(request->traces, 1u);
  request->trace("spin at a.cpp:1\n");
  EXPECT_THAT(log_line("request aborted: timeouts.request passed"),
              HasSubstr("trace=\"spin at a.cpp:1\""));
  request->end();
}

TEST_F(SlowRequest, GoesToALogOfItsOwn) {
  shop(settings).timeouts.slow = milliseconds(50);
  start();
  FakeWorker& worker = add_worker(plain());
  channel::Message target;
  target.type = Type::log_target;
  target.target = channel::LogTarget::slow;
  const std::string file = directory.file("slow.log");
  bridge().send(target, ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const auto client = connect();
  client->get(1, "/slow");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  std::string text;
  until(
      [&] {
        std::stringstream content;
        content << std::ifstream(file).rdbuf();
        text = content.str();
        return !text.empty();
      },
      "a line in the file");
  EXPECT_THAT(text, HasSubstr("slow request app=shop"));
  request->respond("late");
  ASSERT_TRUE(client->wait(1));
  EXPECT_THAT(bridge().log(), Not(HasSubstr("slow request")));
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
