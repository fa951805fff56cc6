// Workers that die, refuse, or talk nonsense.

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

class WorkerLoss : public BridgeTest {
 protected:
  // Two workers; the request goes to the one that is returned first.
  std::pair<FakeWorker*, FakeWorker*> two_workers(const WorkerOptions& options = {}) {
    FakeWorker& first = add_worker(options);
    FakeWorker& second = add_worker(options);
    return {&first, &second};
  }
  static FakeWorker& holder(std::pair<FakeWorker*, FakeWorker*> workers) {
    return workers.first->has_request() ? *workers.first : *workers.second;
  }
  static FakeWorker& other(std::pair<FakeWorker*, FakeWorker*> workers) {
    return workers.first->has_request() ? *workers.second : *workers.first;
  }
  void wait_taken(std::pair<FakeWorker*, FakeWorker*> workers) {
    until([&] { return workers.first->has_request() || workers.second->has_request(); },
          "a worker to take the request");
  }
};

struct WorkerKind {
  const char* name;
  WorkerOptions options;
};

class AnyWorkerLoss : public WorkerLoss, public ::testing::WithParamInterface<WorkerKind> {};

INSTANTIATE_TEST_SUITE_P(Workers, AnyWorkerLoss,
                         ::testing::Values(WorkerKind{"Sdk", {}}, WorkerKind{"Plain", plain()}),
                         [](const auto& test) { return test.param.name; });

TEST_P(AnyWorkerLoss, IdempotentRequestIsRepeatedWithItsBody) {
  start();
  const auto workers = two_workers(GetParam().options);
  const auto client = connect();
  const std::string body(10'000, 'b');
  client->begin(1, variables("PUT", "/", {{"CONTENT_LENGTH", "10000"}}));
  client->body(1, body);
  client->body_end(1);
  wait_taken(workers);
  FakeWorker& dying = holder(workers);
  FakeWorker& living = other(workers);
  const auto lost = dying.next_request();
  until([&] { return lost->body_ended; }, "the body");
  kill_worker(dying);
  const auto repeated = living.next_request();
  ASSERT_TRUE(repeated);
  until([&] { return repeated->body_ended; }, "the repeated body");
  EXPECT_EQ(repeated->body, body);
  repeated->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_EQ(score().retried, 1u);
  EXPECT_TRUE(bridge().wait_for_log("request is sent to another worker"));
}

TEST_P(AnyWorkerLoss, SecondLossIsAnswered502) {
  start();
  const auto workers = two_workers(GetParam().options);
  const auto client = connect();
  client->get(1, "/");
  wait_taken(workers);
  FakeWorker& first = holder(workers);
  FakeWorker& second = other(workers);
  ASSERT_TRUE(first.next_request());
  kill_worker(first);
  ASSERT_TRUE(second.next_request());
  kill_worker(second);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 502);
}

TEST_P(AnyWorkerLoss, WaitsForTheReplacementOfTheOnlyWorker) {
  start();
  FakeWorker& only = add_worker(GetParam().options);
  const auto client = connect();
  client->get(1, "/");
  ASSERT_TRUE(only.next_request());
  kill_worker(only);
  until([&] { return score().queued == 1; }, "the request back in the queue");
  FakeWorker& replacement = add_worker(GetParam().options);
  const auto repeated = replacement.next_request();
  ASSERT_TRUE(repeated);
  repeated->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
}

TEST_P(AnyWorkerLoss, NonIdempotentRequestIsAnswered502) {
  start();
  const auto workers = two_workers(GetParam().options);
  const auto client = connect();
  client->post(1, "/", "pay");
  wait_taken(workers);
  FakeWorker& dying = holder(workers);
  FakeWorker& living = other(workers);
  ASSERT_TRUE(dying.next_request());
  kill_worker(dying);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 502);
  EXPECT_FALSE(living.has_request());
}

TEST_P(AnyWorkerLoss, DeathInsideTheResponseNeverLooksComplete) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  client->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write("Status: 200\r\nContent-Type: text/plain\r\n\r\nhalf");
  until([&] { return client->answer(1).body() == "half"; }, "the first half");
  kill_worker(worker);
  until([&] { return client->broken(); }, "broken framing");
  EXPECT_FALSE(client->answer(1).ended);
}

TEST_P(AnyWorkerLoss, EndBeforeContentLengthNeverLooksComplete) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  client->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write("Status: 200\r\nContent-Length: 10\r\n\r\nhalf");
  until([&] { return client->answer(1).body() == "half"; }, "what came");
  request->end();
  until([&] { return client->broken(); }, "broken framing");
  EXPECT_FALSE(client->answer(1).ended);
}

TEST_P(AnyWorkerLoss, EndBeforeContentLengthOfWhichNothingWasSentIsAnswered502) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  client->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  // All of it comes at the same moment.
  bridge().freeze();
  request->write("Status: 200\r\nContent-Length: 10\r\n\r\nhalf");
  request->end();
  bridge().thaw();
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 502);
}

TEST_P(AnyWorkerLoss, MalformedHeadIsAnswered502) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  for (const char* const head : {"no colon here\r\n\r\n", "Status: abc\r\n\r\n",
                                 "Transfer-Encoding: gzip\r\n\r\n", "A : b\r\n\r\n"}) {
    const auto client = connect();
    client->get(1, "/");
    const auto request = worker.next_request();
    ASSERT_TRUE(request) << head;
    request->write(head);
    ASSERT_TRUE(client->wait(1)) << head;
    EXPECT_EQ(client->answer(1).status(), 502) << head;
    request->end();
  }
  EXPECT_TRUE(bridge().wait_for_log("malformed response head"));
}

TEST_P(AnyWorkerLoss, EndWithoutAResponseIsAnswered502) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  for (const char* const text : {"", "Status: 200\r\n"}) {
    const auto client = connect();
    client->get(1, "/");
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    request->write(text);
    request->end();
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 502);
  }
}

TEST_F(WorkerLoss, OneLinksLossEndsEachOfItsRequestsOnce) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  for (protocol::RequestId id = 1; id <= 10; ++id) client->post(id, "/", "x", true);
  until([&] { return worker.requests.size() == 10; }, "ten requests");
  kill_worker(worker);
  for (protocol::RequestId id = 1; id <= 10; ++id) {
    ASSERT_TRUE(client->wait(id));
    EXPECT_EQ(client->answer(id).status(), 502);
  }
  EXPECT_EQ(score().active, 0);
  EXPECT_FALSE(client->broken());
}

TEST_F(WorkerLoss, BrokenResponseOnAMultiplexedFrontWaitsForTheOthers) {
  start();
  FakeWorker& worker = add_worker();
  FakeWorker& second = add_worker();
  const auto client = connect();
  client->get(1, "/", true);
  client->get(2, "/", true);
  until([&] { return worker.has_request() && second.has_request(); }, "one request each");
  const auto broken = worker.next_request();
  const auto sound = second.next_request();
  broken->write("Status: 200\r\n\r\nhalf");
  until([&] { return !client->answer(1).output.empty() || !client->answer(2).output.empty(); },
        "the first half");
  const protocol::RequestId half = client->answer(1).output.empty() ? 2 : 1;
  kill_worker(worker);
  until([&] { return score().active == 1; }, "the bridge is done with it");
  EXPECT_FALSE(client->broken());
  sound->respond("whole");
  const auto whole = static_cast<protocol::RequestId>(3 - half);
  ASSERT_TRUE(client->wait(whole));
  EXPECT_EQ(client->answer(whole).body(), "whole");
  until([&] { return client->broken(); }, "the connection is broken");
  EXPECT_FALSE(client->answer(half).ended);
  EXPECT_EQ(client->answer(half).body(), "half");
}

TEST_F(WorkerLoss, OverloadedWorkerPassesEvenAPostToAnother) {
  start();
  const auto workers = two_workers();
  const auto client = connect();
  client->post(1, "/", "pay");
  wait_taken(workers);
  FakeWorker& full = holder(workers);
  FakeWorker& free = other(workers);
  full.next_request()->overloaded();
  const auto request = free.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the body");
  EXPECT_EQ(request->body, "pay");
  request->respond("paid");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).body(), "paid");
}

TEST_F(WorkerLoss, OverloadedTwiceIsAnswered503) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->post(1, "/", "pay");
  for (int i = 0; i < 2; ++i) {
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    request->overloaded();
  }
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 503);
  EXPECT_NE(client->answer(1).field("Retry-After"), "");
}

TEST_F(WorkerLoss, CloseBehindTheLastOutputRecordIsACompleteResponse) {
  start();
  FakeWorker& worker = add_worker(plain());
  for (int i = 0; i < 3; ++i) {
    const auto client = connect();
    client->get(1, "/");
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    request->write("Status: 200\r\n\r\nwhole");
    request->link->raw(std::string("\x01\x06\x00\x01\x00\x00\x00\x00", 8));
    request->link->close();
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).body(), "whole");
    EXPECT_EQ(client->answer(1).app_status, 0u);
  }
  EXPECT_EQ(bridge().log_count("lost"), 0u);
}

struct Nonsense {
  const char* name;
  std::string bytes;
};

class NonsenseFromWorker : public WorkerLoss, public ::testing::WithParamInterface<Nonsense> {};

INSTANTIATE_TEST_SUITE_P(
    Records, NonsenseFromWorker,
    ::testing::Values(
        Nonsense{"BadVersion", std::string("\x02\x06\x00\x01\x00\x00\x00\x00", 8)},
        Nonsense{"HttpInstead", "HTTP/1.1 200 OK\r\n\r\n"},
        Nonsense{"OutputForAnIdNeverGiven", std::string("\x01\x06\x03\xe7\x00\x01\x00\x00x", 9)},
        Nonsense{"EndForAnIdNeverGiven",
                 std::string("\x01\x03\x00\x63\x00\x08\x00\x00\0\0\0\0\0\0\0\0", 16)},
        Nonsense{"BeginFromTheWorker",
                 std::string("\x01\x01\x00\x01\x00\x08\x00\x00\0\1\0\0\0\0\0\0", 16)},
        Nonsense{"CreditOfZero", std::string("\x01\x80\x00\x01\x00\x04\x00\x00\0\0\0\0", 12)},
        Nonsense{"CreditBeyondTheWindow",
                 std::string("\x01\x80\x00\x01\x00\x04\x00\x00\0\1\0\0", 12)}),
    [](const auto& test) { return test.param.name; });

TEST_P(NonsenseFromWorker, ClosesTheLinkAndOtherRequestsGoElsewhere) {
  start();
  FakeWorker& mad = add_worker();
  const auto idempotent = connect();
  idempotent->get(1, "/");
  const auto held = mad.next_request();
  ASSERT_TRUE(held);
  FakeWorker& sane = add_worker();
  held->link->raw(GetParam().bytes);
  const auto again = sane.next_request();
  ASSERT_TRUE(again);
  again->respond("ok");
  ASSERT_TRUE(idempotent->wait(1));
  EXPECT_EQ(idempotent->answer(1).status(), 200);
  EXPECT_TRUE(bridge().wait_for_log("link to worker lost"));
  // The link is made again; the worker serves on.
  until([&] { return mad.links().size() == 1; }, "a new link");
}

TEST_F(WorkerLoss, RequestEndedTwiceClosesTheLink) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/", true);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  WorkerLink& link = *request->link;
  const protocol::RequestId id = request->id;
  request->respond("ok");
  const char end[16] = {1, 3, 0, static_cast<char>(id), 0, 8, 0, 0};
  link.raw(std::string(end, 16));
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).body(), "ok");
  until([&] { return link.ended(); }, "the link closed");
  client->get(1, "/again", true);
  const auto next = worker.next_request();
  ASSERT_TRUE(next);
  next->respond("fine");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).body(), "fine");
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
