// Clients that read more slowly than plain workers write (buffer_responses).

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/daemon/bridge/byte_client.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using std::chrono::milliseconds;

// What sockets and the connection's own output hold of a response that nobody reads is less.
constexpr std::size_t kLong = 12'000'000;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 26) % 26);
  return text;
}

class ResponseBuffers : public BridgeTest {
 protected:
  // A client that does not read, and its request at the worker.
  struct Slow {
    std::unique_ptr<ByteClient> client;
    std::shared_ptr<WorkerRequest> request;
  };

  Slow begin(FakeWorker& worker, std::string_view method = "GET", std::string_view more = "") {
    auto client = std::make_unique<ByteClient>(stage, socket_path(2));
    client->read(false);
    client->raw(std::string(method) + " / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" +
                std::string(more) + "\r\n");
    auto request = worker.next_request();
    EXPECT_TRUE(request);
    return {std::move(client), std::move(request)};
  }
  // Everything that the worker wrote has left it.
  void until_written(const Slow& slow) {
    until([&] { return slow.request->link->taken(); }, "the response taken from its worker");
  }
  void expect_another_is_answered(FakeWorker& worker) {
    const auto client = connect();
    client->get(1, "/third");
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    request->respond("third");
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).body(), "third");
  }
  static std::string body_of(const ByteClient& client) {
    const std::string& text = client.received();
    const auto end = text.find("\r\n\r\n");
    return end == std::string::npos ? "" : text.substr(end + 4);
  }
  static std::string with_length(const std::string& body, std::size_t length) {
    return "Status: 200\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" + body;
  }
};

TEST_F(ResponseBuffers, ClientsThatReadNothingHoldNoWorker) {
  start();
  FakeWorker& worker = add_worker(plain());
  const std::string body = pattern(kLong);
  std::vector<Slow> slow;
  for (int i = 0; i < 2; ++i) {
    slow.push_back(begin(worker));
    slow.back().request->write(with_length(body, body.size()));
    slow.back().request->end();
    until([&] { return score().active == 0; }, "the worker free");
  }
  expect_another_is_answered(worker);
  for (Slow& each : slow) {
    EXPECT_FALSE(each.client->closed());
    each.client->read(true);
    ASSERT_TRUE(each.client->wait_closed());
    EXPECT_EQ(body_of(*each.client), body);
  }
  EXPECT_EQ(score().errors, 0U);
  EXPECT_EQ(score().aborted, 0U);
}

TEST_F(ResponseBuffers, BytesArriveBeforeTheWorkerHasEnded) {
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = connect();
  client->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write("Status: 200\r\n\r\n");
  std::string expected;
  for (const char* const piece : {"one ", "two ", "three"}) {
    request->write(piece);
    expected += piece;
    until([&] { return client->answer(1).body() == expected; }, piece);
  }
  EXPECT_FALSE(client->answer(1).ended);
  request->end();
  ASSERT_TRUE(client->wait(1));
}

// The worker's slot tells: it stays taken while its response is not.
class HeldBack : public ResponseBuffers {
 protected:
  void expect_held_back(std::string_view fields) {
    shop(settings).timeouts.send = milliseconds(400);
    start();
    FakeWorker& worker = add_worker(plain());
    Slow slow = begin(worker);
    slow.request->write(std::string(fields) + "Status: 200\r\n\r\n" + pattern(kLong));
    slow.request->end();
    // A worker that is not held ends its request long before the client is given up.
    until([&] { return score().active == 0; }, "the worker free");
    EXPECT_EQ(score().aborted, 1U);
    EXPECT_TRUE(bridge().wait_for_log("timeouts.send"));
  }
};

TEST_F(HeldBack, WithoutBuffers) {
  shop(settings).buffer_responses = {.memory = 0, .file = 0};
  expect_held_back("");
}

TEST_F(HeldBack, WithMemoryAlone) {
  shop(settings).buffer_responses = {.memory = 64 * 1024, .file = 0};
  expect_held_back("");
}

TEST_F(HeldBack, EventStream) {
  expect_held_back("Content-Type: Text/Event-Stream; charset=utf-8\r\n");
}

TEST_F(HeldBack, ResponseThatWantsNoBuffering) {
  expect_held_back("X-Accel-Buffering: no\r\n");
}

TEST_F(HeldBack, SpoolAtItsLimit) {
  settings.limits.spool = 100'000;
  expect_held_back("");
  EXPECT_TRUE(bridge().wait_for_log("limits.spool is reached"));
}

TEST_F(HeldBack, SpoolThatCannotBeWritten) {
  settings.spool = "/nonexistent";
  settings.sandbox = config::SandboxMode::off;
  expect_held_back("");
  EXPECT_TRUE(bridge().wait_for_log("they cannot be written to disk"));
}

class WholeInTheEnd : public ResponseBuffers,
                      public ::testing::WithParamInterface<config::ResponseBuffers> {};

TEST_P(WholeInTheEnd, ResponseThatIsHeldBack) {
  shop(settings).buffer_responses = GetParam();
  settings.limits.spool = 100'000;
  start();
  FakeWorker& worker = add_worker(plain());
  const std::string body = pattern(kLong);
  Slow slow = begin(worker);
  slow.request->write(with_length(body, body.size()));
  slow.request->end();
  slow.client->read(true);
  ASSERT_TRUE(slow.client->wait_closed());
  EXPECT_EQ(body_of(*slow.client), body);
  until([&] { return score().active == 0; }, "the worker free");
}

INSTANTIATE_TEST_SUITE_P(Limits, WholeInTheEnd,
                         ::testing::Values(config::ResponseBuffers{.memory = 0, .file = 0},
                                           config::ResponseBuffers{.memory = 1000, .file = 0},
                                           config::ResponseBuffers{.memory = 0, .file = 1000},
                                           config::ResponseBuffers{.memory = 70'000,
                                                                   .file = 300'000}));

TEST_F(ResponseBuffers, LostInTheMiddleIsNeverComplete) {
  start();
  FakeWorker& worker = add_worker(plain());
  const std::string body = pattern(kLong);
  Slow slow = begin(worker);
  slow.request->write(with_length(body, kLong + 1));
  until_written(slow);
  slow.request->link->close();
  until([&] { return score().active == 0; }, "the worker free");
  slow.client->read(true);
  ASSERT_TRUE(slow.client->wait_closed());
  EXPECT_TRUE(body.starts_with(body_of(*slow.client)));
  EXPECT_EQ(score().errors, 1U);
}

TEST_F(ResponseBuffers, FrontServerSeesThatAStoredResponseWasLost) {
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = connect();
  client->read(false);
  client->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  const std::string body = pattern(kLong);
  request->write("Status: 200\r\n\r\n" + body);
  until([&] { return request->link->taken(); }, "the response taken from its worker");
  request->link->close();
  until([&] { return score().active == 0; }, "the worker free");
  client->read(true);
  until([&] { return client->broken(); }, "the response broken");
  EXPECT_FALSE(client->answer(1).ended);
  EXPECT_TRUE(body.starts_with(client->answer(1).body()));
}

// nginx delivers what came of it, and no record with a broken version.
TEST_F(ResponseBuffers, StoredPartThatIsNotPassedOnEndsShort) {
  shop(settings).timeouts.stall = milliseconds(400);
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = connect();
  client->read(false);
  client->request(1, variables("GET", "/", {{"SERVER_SOFTWARE", "nginx/1.22.1"}}), "");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  // All of it, but the end of the request does not come.
  request->write(with_length(pattern(kLong), kLong));
  ASSERT_TRUE(bridge().wait_for_log("timeouts.stall passed"));
  client->read(true);
  until([&] { return client->answer(1).ended || client->closed(); }, "the end");
  EXPECT_TRUE(client->answer(1).ended);
  EXPECT_FALSE(client->broken());
  EXPECT_LT(client->answer(1).body().size(), kLong);
}

TEST_F(ResponseBuffers, ClientThatLeavesFreesTheSpool) {
  settings.limits.spool = 3 * kLong;  // half of it is for responses: there is room for one
  start();
  FakeWorker& worker = add_worker(plain());
  const std::string body = pattern(kLong);
  for (int i = 0; i < 4; ++i) {
    Slow slow = begin(worker);
    slow.request->write("Status: 200\r\n\r\n" + body);
    slow.request->end();
    // Where the spool had no room, the worker would be held.
    until([&] { return score().active == 0; }, "the worker free");
    slow.client->close();
    until([&] { return score().aborted == static_cast<std::uint64_t>(i) + 1; }, "the abort");
  }
}

TEST_F(ResponseBuffers, ClientThatLeavesWhileTheWorkerWritesAborts) {
  start();
  FakeWorker& worker = add_worker(plain());
  Slow slow = begin(worker);
  slow.request->write("Status: 200\r\n\r\n" + pattern(kLong));
  until_written(slow);
  slow.client->close();
  until([&] { return slow.request->link == nullptr || slow.request->link->ended(); },
        "the connection closed");
  until([&] { return score().active == 0; }, "the worker free");
  expect_another_is_answered(worker);
}

TEST_F(ResponseBuffers, ClientThatTakesNothingIsClosedThoughTheWorkerHasEnded) {
  shop(settings).timeouts.send = milliseconds(400);
  start();
  FakeWorker& worker = add_worker(plain());
  Slow slow = begin(worker);
  slow.request->write("Status: 200\r\n\r\n" + pattern(kLong));
  slow.request->end();
  until([&] { return score().active == 0; }, "the worker free");
  EXPECT_TRUE(bridge().wait_for_log("timeouts.send"));
  slow.client->read(true);
  ASSERT_TRUE(slow.client->wait_closed());
  EXPECT_LT(slow.client->received().size(), kLong);
}

// The client has read nothing for longer than that when another one has been broken off.
TEST_F(ResponseBuffers, StallDoesNotApplyOnceTheWorkerHasEnded) {
  shop(settings).timeouts.stall = milliseconds(200);
  start();
  FakeWorker& worker = add_worker(plain());
  const std::string body = pattern(kLong);
  Slow slow = begin(worker);
  slow.request->write(with_length(body, body.size()));
  slow.request->end();
  until([&] { return score().active == 0; }, "the worker free");
  for (int i = 0; i < 2; ++i) {
    Slow stalled = begin(worker);
    stalled.request->write("Status: 200\r\n\r\nbegun");
    until([&] { return score().timeouts == static_cast<std::uint64_t>(i) + 1; }, "a stall");
    stalled.client->close();
    until([&] { return score().active == 0; }, "the worker free");
  }
  slow.client->read(true);
  ASSERT_TRUE(slow.client->wait_closed());
  EXPECT_EQ(body_of(*slow.client), body);
}

// A slow client does not excuse a worker that could write.
TEST_F(ResponseBuffers, StallAppliesToAWorkerThatIsNotPaused) {
  shop(settings).timeouts.stall = milliseconds(200);
  start();
  FakeWorker& worker = add_worker(plain());
  Slow slow = begin(worker);
  slow.request->write("Status: 200\r\n\r\n" + pattern(kLong));
  until([&] { return score().timeouts == 1; }, "the stall");
  EXPECT_TRUE(bridge().wait_for_log("timeouts.stall passed"));
}

TEST_F(ResponseBuffers, ClientThatWritesBeforeItReadsIsNotBlocked) {
  shop(settings).buffer_requests = config::Buffering::never;
  start();
  FakeWorker& worker = add_worker(plain());
  const std::string body = pattern(kLong);
  Slow slow = begin(worker, "POST", "Content-Length: 20000000\r\n");
  slow.request->write(with_length(body, body.size()));
  slow.request->end();
  until([&] { return score().active == 0; }, "the worker free");
  slow.client->raw(pattern(20'000'000));
  until([&] { return slow.client->unsent() == 0; }, "the body taken");
  slow.client->read(true);
  ASSERT_TRUE(slow.client->wait_closed());
  EXPECT_EQ(body_of(*slow.client), body);
}

TEST_F(ResponseBuffers, DrainingBridgeSendsWhatItHolds) {
  start();
  FakeWorker& worker = add_worker(plain());
  const std::string body = pattern(kLong);
  Slow slow = begin(worker);
  slow.request->write(with_length(body, body.size()));
  slow.request->end();
  until([&] { return score().active == 0; }, "the worker free");
  say(channel::Type::drain);
  slow.client->read(true);
  ASSERT_TRUE(slow.client->wait_closed());
  EXPECT_EQ(body_of(*slow.client), body);
}

// Several requests on one connection of a front server.
TEST_F(ResponseBuffers, RequestsOfOneConnectionEachGetTheirOwn) {
  start();
  FakeWorker& one = add_worker(plain());
  FakeWorker& two = add_worker(plain());
  const auto client = connect();
  client->read(false);
  client->get(1, "/a", true);
  client->get(2, "/b", true);
  const auto first = one.next_request();
  const auto second = two.next_request();
  ASSERT_TRUE(first && second);
  const std::string body = pattern(kLong);
  for (const auto& request : {first, second}) {
    request->write("Status: 200\r\n\r\n" + request->param("REQUEST_URI") + body);
    request->end();
  }
  until([&] { return score().active == 0; }, "both workers free");
  client->read(true);
  ASSERT_TRUE(client->wait(1));
  ASSERT_TRUE(client->wait(2));
  EXPECT_EQ(client->answer(1).body().size(), body.size() + 2);
  EXPECT_EQ(client->answer(1).body().substr(2), body);
  EXPECT_EQ(client->answer(2).body().substr(2), body);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
