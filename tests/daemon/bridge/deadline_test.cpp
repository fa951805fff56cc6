// Time-outs, aborts, and clients that leave.

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using channel::Type;
using std::chrono::milliseconds;

using Deadline = BridgeTest;

TEST_F(Deadline, RequestTimeOutIsAnswered504AndTheWorkerAborts) {
  shop(settings).timeouts.request = milliseconds(300);
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/slow");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_LE(std::stoi(request->param("VIADUCT_DEADLINE_MS")), 300);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 504);
  until([&] { return request->aborted; }, "the abort");
  EXPECT_EQ(score().timeouts, 1u);
  EXPECT_TRUE(bridge().wait_for_log("timeouts.request passed"));
  request->end();
  until([&] { return score().active == 0; }, "the slot free");
  EXPECT_EQ(bridge().count(Type::kill), 0u);
}

// A handler that its deadline has stopped may answer before the bridge looks at the clock again.
TEST_F(Deadline, AnswerBehindTheDeadlineIsStill504) {
  shop(settings).timeouts.request = milliseconds(200);
  start();
  FakeWorker& worker = add_worker();
  for (int i = 0; i < 5; ++i) {
    const auto client = connect();
    client->get(1, "/late");
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    const auto passed = std::chrono::steady_clock::now() + milliseconds(200);
    until([&] { return std::chrono::steady_clock::now() >= passed; }, "the deadline");
    if (!request->aborted) request->respond("late");
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 504);
  }
}

TEST_F(Deadline, PlainWorkerThatTimesOutIsClosedNotRepeated) {
  shop(settings).timeouts.request = milliseconds(300);
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = connect();
  client->get(1, "/slow");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  WorkerLink& link = *request->link;
  worker.accept(false);  // it computes
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 504);
  until([&] { return link.ended(); }, "the connection closed");
  EXPECT_EQ(score().retried, 0u);
  const auto next = connect();
  next->get(1, "/next");
  until([&] { return score().queued == 1; }, "the next request to wait for the slot");
  worker.accept(true);
  const auto after = worker.next_request();
  ASSERT_TRUE(after);
  EXPECT_EQ(after->param("REQUEST_URI"), "/next");
  after->respond("ok");
  ASSERT_TRUE(next->wait(1));
  EXPECT_EQ(next->answer(1).status(), 200);
}

TEST_F(Deadline, PlainWorkerThatNeverComesBackIsReplaced) {
  shop(settings).timeouts.request = milliseconds(200);
  shop(settings).timeouts.abort = milliseconds(200);
  start();
  FakeWorker& worker = add_worker(plain());
  auto client = connect();
  client->get(1, "/stuck");
  ASSERT_TRUE(worker.next_request());
  worker.accept(false);
  client->close();
  ASSERT_TRUE(bridge().wait_for(Type::kill));
  EXPECT_EQ(bridge().last(Type::kill)->serial, worker.serial);
}

TEST_F(Deadline, IgnoredAbortGetsTheWorkerKilledOnceItsOthersHaveEnded) {
  shop(settings).timeouts.request = milliseconds(300);
  shop(settings).timeouts.abort = milliseconds(200);
  start();
  FakeWorker& worker = add_worker();
  const auto stuck = connect();
  stuck->get(1, "/stuck");
  ASSERT_TRUE(worker.next_request());
  const auto fine = connect();
  fine->get(1, "/fine");
  const auto other = worker.next_request();
  ASSERT_TRUE(other);
  other->write("Status: 200\r\n\r\nbegun");  // no time-out of the head any more
  ASSERT_TRUE(stuck->wait(1));
  ASSERT_TRUE(bridge().wait_for_log("worker ignores the abort"));
  EXPECT_EQ(bridge().count(Type::kill), 0u);
  FakeWorker& fresh = add_worker();
  const auto next = connect();
  next->get(1, "/next");
  const auto elsewhere = fresh.next_request();
  ASSERT_TRUE(elsewhere);
  elsewhere->respond("ok");
  EXPECT_EQ(bridge().count(Type::kill), 0u);
  other->end();
  ASSERT_TRUE(fine->wait(1));
  EXPECT_EQ(fine->answer(1).body(), "begun");
  ASSERT_TRUE(bridge().wait_for(Type::kill));
  EXPECT_EQ(bridge().last(Type::kill)->serial, worker.serial);
  EXPECT_FALSE(worker.has_request());
}

TEST_F(Deadline, ClientsSlowUploadDoesNotCount) {
  shop(settings).timeouts.request = milliseconds(200);
  start();
  FakeWorker& worker = add_worker();
  const auto quick = connect();
  const auto slow = connect();
  slow->begin(1, variables("POST", "/upload", {{"CONTENT_LENGTH", "8"}}));
  slow->body(1, "half");
  const auto upload = worker.next_request();
  ASSERT_TRUE(upload);
  // The other request tells when the time has passed.
  for (int i = 0; i < 2; ++i) {
    quick->get(1, "/", true);
    const auto silent = worker.next_request();
    ASSERT_TRUE(silent);
    ASSERT_TRUE(quick->wait(1));
    EXPECT_EQ(quick->answer(1).status(), 504);
    silent->end();
  }
  EXPECT_FALSE(upload->aborted);
  slow->body(1, "half");
  slow->body_end(1);
  until([&] { return upload->body_ended; }, "the end of the body");
  upload->respond("ok");
  ASSERT_TRUE(slow->wait(1));
  EXPECT_EQ(slow->answer(1).status(), 200);
}

TEST_F(Deadline, StalledResponseIsBroken) {
  shop(settings).timeouts.stall = milliseconds(300);
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write("Status: 200\r\n\r\nbegun");
  until([&] { return client->broken(); }, "the response broken");
  EXPECT_EQ(client->answer(1).body(), "begun");
  EXPECT_FALSE(client->answer(1).ended);
  until([&] { return request->aborted; }, "the abort");
  EXPECT_EQ(score().timeouts, 1u);
}

TEST_F(Deadline, StalledPlainWorkerIsClosed) {
  shop(settings).timeouts.stall = milliseconds(300);
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = connect();
  client->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  WorkerLink& link = *request->link;
  request->write("Status: 200\r\n\r\nbegun");
  until([&] { return client->broken() && link.ended(); }, "both sides closed");
}

TEST_F(Deadline, SlowClientIsNoStall) {
  shop(settings).timeouts.stall = milliseconds(300);
  start();
  FakeWorker& worker = add_worker();
  const auto slow = connect();
  slow->get(1, "/big");
  const auto big = worker.next_request();
  ASSERT_TRUE(big);
  slow->read(false);
  big->write("Status: 200\r\n\r\n" + std::string(4'000'000, 'x'));
  const auto stalling = connect();
  stalling->get(1, "/stalls");
  const auto stalls = worker.next_request();
  ASSERT_TRUE(stalls);
  stalls->write("Status: 200\r\n\r\nbegun");
  until([&] { return stalling->broken(); }, "the stalled response broken");
  slow->read(true);
  big->end();
  ASSERT_TRUE(slow->wait(1));
  EXPECT_EQ(slow->answer(1).body().size(), 4'000'000u);
}

TEST_F(Deadline, ClientThatLeavesBecomesAnAbortRecord) {
  start();
  FakeWorker& worker = add_worker();
  auto client = connect();
  client->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  const auto stays = connect();
  stays->get(1, "/stays");
  const auto other = worker.next_request();
  ASSERT_TRUE(other);
  WorkerLink& link = *request->link;
  client->close();
  until([&] { return request->aborted; }, "the abort");
  EXPECT_EQ(score().active, 2) << "the slot is free only on END";
  request->write("ignored");
  request->end();
  until([&] { return score().active == 1; }, "the slot free");
  EXPECT_EQ(link.aborts, 1u);
  EXPECT_FALSE(link.closed());
  other->respond("ok");
  ASSERT_TRUE(stays->wait(1));
}

TEST_F(Deadline, AbortRecordOfTheFrontIsAnsweredAtOnce) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/", true);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  client->abort(1);
  ASSERT_TRUE(client->wait(1));
  until([&] { return request->aborted; }, "the abort");
  request->end();
  client->get(1, "/next", true);
  const auto next = worker.next_request();
  ASSERT_TRUE(next);
  next->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).body(), "ok");
}

TEST_F(Deadline, ClientThatLeavesClosesThePlainConnectionAndTheSlotWaitsForTheWorker) {
  start();
  FakeWorker& worker = add_worker(plain());
  auto client = connect();
  client->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  WorkerLink& link = *request->link;
  worker.accept(false);
  client->close();
  until([&] { return link.ended(); }, "the connection closed");
  EXPECT_EQ(link.aborts, 0u);
  const auto next = connect();
  next->get(1, "/next");
  until([&] { return score().queued == 1; }, "the next request to wait");
  worker.accept(true);
  const auto after = worker.next_request();
  ASSERT_TRUE(after);
  after->respond("ok");
  ASSERT_TRUE(next->wait(1));
  EXPECT_EQ(next->answer(1).status(), 200);
}

TEST_F(Deadline, ClientThatLeavesAfterItsUploadHasBegun) {
  start();
  FakeWorker& worker = add_worker();
  auto client = connect();
  client->begin(1, variables("POST", "/", {{"CONTENT_LENGTH", "1000"}}));
  client->body(1, "some");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  client->close();
  until([&] { return request->aborted; }, "the abort");
  EXPECT_FALSE(request->body_ended) << "a cut body must not look complete";
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
