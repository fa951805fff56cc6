// Bodies that come before a worker is taken.

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/daemon/bridge/byte_client.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using channel::Type;
using std::chrono::milliseconds;

const WorkerOptions kThreads{.model = "threads"};
const WorkerOptions kFibers{.model = "fibers"};

class Gathering : public BridgeTest {
 protected:
  std::unique_ptr<ByteClient> connect_http() {
    return std::make_unique<ByteClient>(stage, socket_path(2));
  }
  std::unique_ptr<FrontClient> upload(std::string_view length, std::string_view begin) {
    auto client = connect();
    client->begin(1, variables("POST", "/upload", {{"CONTENT_LENGTH", length}}));
    client->body(1, begin);
    return client;
  }
  /// A request from its first to its last byte, by which time has passed for the others.
  void serve_another(FakeWorker& worker) {
    const auto client = connect();
    client->get(1, "/");
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    EXPECT_EQ(request->param("REQUEST_URI"), "/");
    request->respond("ok");
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 200);
  }
};

TEST_F(Gathering, PlainWorkerServesOthersUntilTheBodyIsComplete) {
  start();
  FakeWorker& worker = add_worker(plain());
  const auto one = upload("8", "slow");
  const auto two = upload("8", "slow");
  serve_another(worker);
  serve_another(worker);
  EXPECT_FALSE(worker.has_request());
  one->body(1, "body");
  one->body_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the body");
  EXPECT_EQ(request->body, "slowbody");
  request->respond("ok");
  ASSERT_TRUE(one->wait(1));
  EXPECT_EQ(one->answer(1).status(), 200);
  EXPECT_EQ(score().requests, 4u);
}

TEST_F(Gathering, BodyOfUnknownLengthIsMeasuredForAPlainWorkerInAnyCase) {
  shop(settings).buffer_requests = config::Buffering::never;
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = connect_http();
  client->raw(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(client->wait_for("HTTP/1.1 100 Continue\r\n\r\n"));
  client->raw("5\r\nhello\r\n");
  serve_another(worker);
  client->raw("6\r\n world\r\n0\r\n\r\n");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("CONTENT_LENGTH"), "11");
  until([&] { return request->body_ended; }, "the body");
  EXPECT_EQ(request->body, "hello world");
  request->respond("ok");
  ASSERT_TRUE(client->wait_for("\r\n\r\nok"));
}

TEST_F(Gathering, LengthIsToldOfABodyThatCameWithItsHead) {
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = connect_http();
  client->raw(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("CONTENT_LENGTH"), "5");
}

TEST_F(Gathering, LongBodyGoesThroughAFile) {
  start();
  FakeWorker& worker = add_worker(plain());
  std::string body(3'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>('a' + i % 23);
  const auto client = upload("3000000", std::string_view(body).substr(0, 2'999'999));
  serve_another(worker);
  client->body(1, std::string_view(body).substr(2'999'999));
  client->body_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the body");
  EXPECT_EQ(request->body, body);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
}

TEST_F(Gathering, GatheredBodyIsHeldWholeForASecondWorker) {
  shop(settings).limits.retry_buffer = 0;
  start();
  FakeWorker& first = add_worker(plain());
  const std::string body(300'000, 'x');
  const auto client = connect();
  client->begin(1, variables("PUT", "/", {{"CONTENT_LENGTH", "300000"}}));
  client->body(1, body);
  serve_another(first);
  client->body_end(1);
  const auto lost = first.next_request();
  ASSERT_TRUE(lost);
  until([&] { return lost->body_ended; }, "the body");
  FakeWorker& second = add_worker(plain());
  kill_worker(first);
  const auto request = second.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the body again");
  EXPECT_EQ(request->body, body);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
}

TEST_F(Gathering, FilterIsGivenBothStreamsOnceTheyAreComplete) {
  start();
  FakeWorker& worker = add_worker(plain());
  const std::string body(200'000, 'b');
  const auto client = connect();
  client->begin(1, variables("POST", "/", {{"CONTENT_LENGTH", "200000"}}), false,
                protocol::Role::filter);
  client->body(1, body);
  client->body_end(1);
  client->data(1, "da");
  serve_another(worker);
  client->data(1, "ta");
  client->data_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->data_ended; }, "the data");
  EXPECT_EQ(request->body, body);
  EXPECT_EQ(request->data, "data");
  EXPECT_EQ(request->param("CONTENT_LENGTH"), "200000");
}

TEST_F(Gathering, AuthorizerIsGivenToAPlainWorkerAtOnce) {
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = connect();
  client->begin(1, variables("GET", "/"), false, protocol::Role::authorizer);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->respond("");
  ASSERT_TRUE(client->wait(1));
}

TEST_F(Gathering, LongerBodiesStreamToThreads) {
  start();
  FakeWorker& worker = add_worker(kThreads);
  const std::string mib(1024 * 1024, 'x');
  struct Row {
    std::string length;  // "": unknown
    std::string begin;
    bool at_once;
  };
  for (const Row& row : {Row{"1048576", "some", false}, Row{"1048577", "some", true},
                         Row{"", "some", false}, Row{"", mib, false}, Row{"", mib + "y", true}}) {
    const auto& [length, begin, at_once] = row;
    const auto client = upload(length, begin);
    if (!at_once) {
      serve_another(worker);
      EXPECT_FALSE(worker.has_request()) << length << " " << begin.size();
      client->body_end(1);
      if (length.empty()) {
        const auto request = worker.next_request();
        ASSERT_TRUE(request);
        until([&] { return request->body_ended; }, "the body");
        EXPECT_EQ(request->body, begin);
        EXPECT_EQ(request->param("CONTENT_LENGTH"), std::to_string(begin.size()));
        request->respond("ok");
        ASSERT_TRUE(client->wait(1));
      }
      continue;
    }
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    until([&] { return request->body == row.begin; }, "what has come");
    EXPECT_FALSE(request->body_ended);
    request->respond("ok");
    ASSERT_TRUE(client->wait(1));
  }
}

TEST_F(Gathering, BodiesStreamToFibers) {
  start();
  FakeWorker& worker = add_worker(kFibers);
  const auto client = upload("8", "some");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body == "some"; }, "what has come");
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
}

TEST_F(Gathering, AlwaysIsForAllWorkers) {
  shop(settings).buffer_requests = config::Buffering::always;
  start();
  FakeWorker& worker = add_worker(kFibers);
  const auto client = upload("8", "some");
  serve_another(worker);
  client->body(1, "body");
  client->body_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the body");
  EXPECT_EQ(request->body, "somebody");
}

TEST_F(Gathering, NeverStreamsToAPlainWorker) {
  shop(settings).buffer_requests = config::Buffering::never;
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = upload("8", "some");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body == "some"; }, "what has come");
}

TEST_F(Gathering, TooLongABodyIsRefusedAtOnce) {
  shop(settings).limits.body = 1000;
  start();
  add_worker(plain());
  for (const char* const length : {"999", "1000"}) {
    const auto client = connect_http();
    client->raw("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: " +
                std::string(length) + "\r\n\r\n");
    EXPECT_TRUE(client->wait_for("HTTP/1.1 100 ")) << length;
  }
  const auto client = connect_http();
  client->raw("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_TRUE(client->wait_for("HTTP/1.1 413 "));
  EXPECT_EQ(client->count("100 Continue"), 0u);
}

TEST_F(Gathering, BodyThatTurnsOutTooLongIsRefused) {
  shop(settings).limits.body = 1000;
  start();
  FakeWorker& worker = add_worker(plain());
  for (const std::size_t size : {1000U, 1001U}) {
    const auto client = upload("", std::string(size, 'x'));
    if (size > 1000) {
      ASSERT_TRUE(client->wait(1));
      EXPECT_EQ(client->answer(1).status(), 413);
      EXPECT_FALSE(worker.has_request());
      continue;
    }
    client->body_end(1);
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    request->respond("ok");
    ASSERT_TRUE(client->wait(1));
  }
}

TEST_F(Gathering, SpoolAtItsLimitIsAnswered503) {
  settings.limits.spool = 200'000;
  start();
  FakeWorker& worker = add_worker(plain());
  const auto held = upload("200000", std::string(190'000, 'x'));
  serve_another(worker);
  const auto refused = upload("200000", std::string(190'000, 'x'));
  ASSERT_TRUE(refused->wait(1));
  EXPECT_EQ(refused->answer(1).status(), 503);
  EXPECT_TRUE(bridge().wait_for_log("limits.spool is reached"));
  held->body(1, std::string(10'000, 'x'));
  held->body_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the body");
  EXPECT_EQ(request->body.size(), 200'000u);
  request->respond("ok");
  ASSERT_TRUE(held->wait(1));
  const auto next = upload("200000", std::string(200'000, 'x'));
  next->body_end(1);
  const auto another = worker.next_request();
  ASSERT_TRUE(another);
  until([&] { return another->body_ended; }, "another body");
}

TEST_F(Gathering, SilentClientIsAnswered408WithoutAWorker) {
  shop(settings).timeouts.body = milliseconds(200);
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = upload("8", "slow");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 408);
  EXPECT_FALSE(worker.has_request());
}

TEST_F(Gathering, ClientThatLeavesIsForgotten) {
  start();
  FakeWorker& worker = add_worker(plain());
  auto client = upload("8", "slow");
  ASSERT_TRUE(bridge().wait_for(Type::demand));
  EXPECT_EQ(bridge().last(Type::demand)->busy, 1u) << "its app needs a worker";
  client->close();
  until([&] { return bridge().last(Type::demand)->busy == 0; }, "that none is needed");
  EXPECT_EQ(score().aborted, 1u);
  EXPECT_FALSE(worker.has_request());
}

TEST_F(Gathering, ManyBodiesAskForOneWorker) {
  start();
  FakeWorker& worker = add_worker(plain());
  std::vector<std::unique_ptr<FrontClient>> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(upload("8", "slow"));
  ASSERT_TRUE(bridge().wait_for(Type::demand));
  serve_another(worker);
  until([&] { return bridge().last(Type::demand)->busy == 1; }, "one worker to be kept");
}

TEST_F(Gathering, DrainingBridgeEndsBehindTheRequest) {
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = upload("8", "slow");
  ASSERT_TRUE(bridge().wait_for(Type::demand));
  say(Type::drain);
  ASSERT_TRUE(bridge().wait_for(Type::left));
  EXPECT_EQ(bridge().count(Type::drained), 0u);
  client->body(1, "body");
  client->body_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  ASSERT_TRUE(bridge().wait_for(Type::drained));
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
