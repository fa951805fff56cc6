// What a plain worker must never be given, and when its connection is kept.

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

class PlainWorker : public BridgeTest {
 protected:
  // One request answered; returns the link that carried it.
  WorkerLink* serve(FakeWorker& worker, std::string_view method, std::string_view body,
                    std::optional<bool> expect_keep) {
    const auto client = connect();
    const std::string length = std::to_string(body.size());
    client->request(1, variables(method, "/", {{"CONTENT_LENGTH", length}}), body);
    const auto request = worker.next_request();
    if (request == nullptr) return nullptr;
    WorkerLink* link = request->link;
    if (expect_keep) {
      EXPECT_EQ(request->keep, *expect_keep) << method << " " << body;
    }
    EXPECT_TRUE(stage.run_until([&] { return request->body_ended; }));
    request->respond("ok");
    EXPECT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 200);
    return link;
  }
};

TEST_F(PlainWorker, ConnectionIsKeptBehindRequestsWithoutBody) {
  start();
  FakeWorker& worker = add_worker(plain());
  WorkerLink* const first = serve(worker, "GET", "", true);
  WorkerLink* const second = serve(worker, "GET", "", true);
  EXPECT_EQ(first, second);
  EXPECT_FALSE(second->ended());
}

TEST_F(PlainWorker, ConnectionIsNeverKeptBehindABody) {
  start();
  FakeWorker& worker = add_worker(plain());
  for (const char* const method : {"POST", "PUT", "GET"}) {
    WorkerLink* const link = serve(worker, method, "data", false);
    until([&] { return link->closed(); }, "the connection closed");
    EXPECT_EQ(link->requests, 1u) << method;
  }
}

TEST_F(PlainWorker, ConnectionIsNotKeptWhenABodyMayFollow) {
  shop(settings).buffer_requests = config::Buffering::never;
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = connect();
  client->begin(1, variables("GET", "/", {{"CONTENT_LENGTH", "4"}}));  // no byte of it yet
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_FALSE(request->keep);
  client->body(1, "body");
  client->body_end(1);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
}

TEST_F(PlainWorker, KeptConnectionOnlyTakesIdempotentRequests) {
  start();
  FakeWorker& worker = add_worker(plain());
  WorkerLink* const kept = serve(worker, "GET", "", true);
  WorkerLink* const fresh = serve(worker, "POST", "", std::nullopt);
  EXPECT_NE(kept, fresh);
  EXPECT_TRUE(kept->ended());
}

TEST_F(PlainWorker, UnreadBodyNeverBecomesTheNextRequest) {
  start();
  WorkerOptions deaf = plain();
  FakeWorker& worker = add_worker(deaf);
  // A complete FastCGI request as body: what a worker that leaves the body unread would find next.
  const std::string smuggled(
      "\x01\x01\x00\x01\x00\x08\x00\x00\0\1\1\0\0\0\0\0"
      "\x01\x04\x00\x01\x00\x00\x00\x00"
      "\x01\x05\x00\x01\x00\x00\x00\x00",
      32);
  const auto client = connect();
  client->begin(1, variables("POST", "/", {{"CONTENT_LENGTH", std::to_string(smuggled.size())}}));
  client->body(1, smuggled);
  client->body_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  WorkerLink* const link = request->link;
  EXPECT_FALSE(request->keep);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  WorkerLink* const next = serve(worker, "GET", "", std::nullopt);
  EXPECT_NE(next, link);
}

TEST_F(PlainWorker, KeptConnectionThatIsJustBeingClosedCostsNothing) {
  start();
  FakeWorker& worker = add_worker(plain());
  WorkerLink* const kept = serve(worker, "GET", "", true);
  ASSERT_NE(kept, nullptr);
  const auto client = connect();
  // The bridge may or may not have seen the end when it sends.
  kept->close();
  client->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
}

TEST_F(PlainWorker, IdleConnectionIsClosedWhenTheWorkerIsToEnd) {
  start();
  FakeWorker& worker = add_worker(plain());
  WorkerLink* const kept = serve(worker, "GET", "", true);
  ASSERT_NE(kept, nullptr);
  EXPECT_FALSE(kept->ended());
  channel::Message drain;
  drain.type = channel::Type::worker_draining;
  drain.serial = worker.serial;
  bridge().send(drain);
  until([&] { return kept->ended(); }, "the connection closed");
  EXPECT_TRUE(bridge().wait_for(channel::Type::worker_idle));
}

TEST_F(PlainWorker, NeverAskedWhenProbeIsOff) {
  shop(settings).probe = false;
  start();
  FakeWorker& worker = make_worker(plain());
  announce(bridge(), worker);
  const auto client = connect();
  client->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(worker.all_links.size(), 1u) << "the request came on the first connection";
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
}

// Front servers leave as soon as they have Content-Length bytes.
TEST_F(PlainWorker, WhatAClientLeftIsReadToItsEndWhenTheWorkerCannotBeAsked) {
  constexpr std::size_t kLimit = 256 * 1024;
  shop(settings).probe = false;
  start();
  FakeWorker& worker = make_worker(plain());
  announce(bridge(), worker);
  for (const std::size_t left : {std::size_t{0}, kLimit - 1, kLimit, kLimit + 1}) {
    const auto client = connect();
    client->get(1, "/");
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    WorkerLink* const link = request->link;
    request->write("Status: 200\r\n\r\nbody");
    until([&] { return client->answer(1).body() == "body"; }, "what the client waits for");
    const auto aborted = score().aborted + 1;
    client->close();
    until([&] { return score().aborted == aborted; }, "the end of the client");
    request->write(std::string(left, 'x'));
    if (left <= kLimit) {
      EXPECT_FALSE(link->ended()) << left;
      request->end();
    }
    until([&] { return link->closed() || link->ended(); }, "the end of the connection");
    if (left > kLimit) break;
    const auto next = connect();
    next->get(1, "/next");
    const auto served = worker.next_request();
    ASSERT_TRUE(served) << left;
    served->respond("ok");
    ASSERT_TRUE(next->wait(1));
  }
}

TEST_F(PlainWorker, SocketThatIsNotThereYetIsTriedAgain) {
  start();
  FakeWorker& worker = make_worker(plain());
  const std::string later = worker.path() + "-later";
  channel::Message added;
  added.type = channel::Type::worker_added;
  added.serial = 77;
  added.set_path(later);
  bridge().send(added);
  ASSERT_TRUE(bridge().wait_for_log("link to worker lost"));
  FakeWorker late(stage, later, plain());
  ASSERT_TRUE(bridge().wait_for(channel::Type::ready));
  EXPECT_EQ(bridge().last(channel::Type::ready)->serial, 77u);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
