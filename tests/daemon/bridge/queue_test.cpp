// Requests that have to wait for a worker, and those that do not get one.

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using std::chrono::milliseconds;

class Queue : public BridgeTest {
 protected:
  void wait_queued(std::int64_t count) {
    until([&] { return score().queued == count; }, "the queue's length");
  }
};

TEST_F(Queue, RequestsWaitWhileAWorkerIsStarting) {
  start();
  const auto client = connect();
  client->post(1, "/early", "body");
  wait_queued(1);
  FakeWorker& worker = add_worker();
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the end of the body");
  EXPECT_EQ(request->body, "body");
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_EQ(score().queued, 0);
}

TEST_F(Queue, FailingAppIsAnswered503WithRetryAfter) {
  start();
  const auto waiting = connect();
  waiting->get(1, "/");
  wait_queued(1);
  say_state(channel::AppState::failing, 7);
  ASSERT_TRUE(waiting->wait(1));
  EXPECT_EQ(waiting->answer(1).status(), 503);
  EXPECT_EQ(waiting->answer(1).field("Retry-After"), "7");
  const auto later = connect();
  later->get(1, "/");
  ASSERT_TRUE(later->wait(1));
  EXPECT_EQ(later->answer(1).status(), 503);
  EXPECT_EQ(later->answer(1).field("Retry-After"), "7");
}

TEST_F(Queue, HoldsAsManyAsItsLimitAndNoMore) {
  shop(settings).limits.queue = 3;
  start();
  std::vector<std::unique_ptr<FrontClient>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(connect());
    waiting.back()->get(1, "/");
    wait_queued(i + 1);
  }
  const auto beyond = connect();
  beyond->get(1, "/");
  ASSERT_TRUE(beyond->wait(1));
  EXPECT_EQ(beyond->answer(1).status(), 503);
  EXPECT_NE(beyond->answer(1).field("Retry-After"), "");
  EXPECT_TRUE(bridge().wait_for_log("limits.queue"));
  FakeWorker& worker = add_worker();
  for (const auto& client : waiting) {
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    request->respond("ok");
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 200);
  }
}

TEST_F(Queue, WaitingLongerThanItsTimeoutIsAnswered503) {
  shop(settings).timeouts.queue = milliseconds(200);
  start();
  const auto client = connect();
  client->get(1, "/");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 503);
  EXPECT_EQ(client->answer(1).field("Retry-After"), "1");
  EXPECT_TRUE(bridge().wait_for_log("timeouts.queue"));
  EXPECT_EQ(score().queued, 0);
}

TEST_F(Queue, ClientThatLeftIsNeverSentToTheWorker) {
  start();
  auto gone = connect();
  gone->get(1, "/gone");
  wait_queued(1);
  const auto stays = connect();
  stays->get(1, "/stays");
  wait_queued(2);
  gone->close();
  wait_queued(1);
  EXPECT_EQ(score().aborted, 1u);
  FakeWorker& worker = add_worker();
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("REQUEST_URI"), "/stays");
  request->respond("ok");
  ASSERT_TRUE(stays->wait(1));
  EXPECT_EQ(worker.requests.size(), 1u);
}

TEST_F(Queue, AbortRecordOfAWaitingRequestEndsIt) {
  start();
  const auto client = connect();
  client->get(1, "/gone", true);
  wait_queued(1);
  client->abort(1);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).output, "");
  wait_queued(0);
  EXPECT_FALSE(client->closed());
}

class WorkerSlots : public Queue, public ::testing::WithParamInterface<WorkerOptions> {};

INSTANTIATE_TEST_SUITE_P(Workers, WorkerSlots,
                         ::testing::Values(WorkerOptions{.max_reqs = 2}, plain(2),
                                           WorkerOptions{.max_reqs = 2, .prefetch = 2}),
                         [](const auto& test) {
                           if (!test.param.multiplex) return "Plain";
                           return test.param.prefetch ? "SlowWithPrefetch" : "Sdk";
                         });

TEST_P(WorkerSlots, AreNeverExceeded) {
  start();
  FakeWorker& worker = add_worker(GetParam());
  std::vector<std::unique_ptr<FrontClient>> clients;
  std::vector<std::shared_ptr<WorkerRequest>> taken;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(connect());
    clients.back()->get(1, "/" + std::to_string(i));
    taken.push_back(worker.next_request());
    ASSERT_TRUE(taken.back());
  }
  clients.push_back(connect());
  clients.back()->get(1, "/2");
  wait_queued(1);
  EXPECT_EQ(score().active, 2);
  EXPECT_FALSE(worker.has_request());
  taken[0]->respond("ok");
  const auto third = worker.next_request();
  ASSERT_TRUE(third);
  EXPECT_EQ(third->param("REQUEST_URI"), "/2");
  wait_queued(0);
  taken[1]->respond("ok");
  third->respond("ok");
  for (const auto& client : clients) ASSERT_TRUE(client->wait(1));
}

// How brisk the worker looks depends on the machine; what it is given never exceeds what it
// accepts.
TEST_F(Queue, PrefetchIsNeverExceeded) {
  start();
  FakeWorker& worker = add_worker({.max_reqs = 2, .prefetch = 1});
  const auto client = connect();
  for (protocol::RequestId id = 1; id <= 200; ++id) client->get(id, "/", true);
  std::size_t answered = 0;
  while (answered < 200) {
    until([&] { return worker.requests.size() > answered; }, "the next request");
    EXPECT_LE(worker.requests.size() - answered, 3u);
    worker.requests[answered++]->respond("ok");
  }
  ASSERT_TRUE(client->wait(200));
}

TEST_F(Queue, LeastLoadedWorkerIsChosen) {
  start();
  FakeWorker& first = add_worker();
  FakeWorker& second = add_worker();
  std::vector<std::unique_ptr<FrontClient>> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(connect());
    clients.back()->get(1, "/");
    until([&] { return score().active == i + 1; }, "the request at a worker");
  }
  until([&] { return first.requests.size() + second.requests.size() == 6; }, "six requests");
  EXPECT_EQ(first.requests.size(), 3u);
  EXPECT_EQ(second.requests.size(), 3u);
  for (const auto& request : second.requests) request->respond("ok");
  until([&] { return score().active == 3; }, "the second worker idle");
  clients.push_back(connect());
  clients.back()->get(1, "/");
  until([&] { return second.requests.size() == 4; }, "the idle worker to get the next one");
}

TEST_F(Queue, DrainingWorkerGetsNothingNewAndIsReportedIdle) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  channel::Message drain;
  drain.type = channel::Type::worker_draining;
  drain.serial = worker.serial;
  bridge().send(drain);
  FakeWorker& other = add_worker();
  for (int i = 0; i < 3; ++i) {
    const auto another = connect();
    another->get(1, "/");
    const auto taken = other.next_request();
    ASSERT_TRUE(taken);
    taken->respond("ok");
    ASSERT_TRUE(another->wait(1));
  }
  EXPECT_EQ(bridge().count(channel::Type::worker_idle), 0u);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  ASSERT_TRUE(bridge().wait_for(channel::Type::worker_idle));
  EXPECT_EQ(bridge().last(channel::Type::worker_idle)->serial, worker.serial);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
