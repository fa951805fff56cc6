// Clients that send too little of a body, or take nothing of a response.

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/daemon/bridge/byte_client.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using std::chrono::milliseconds;

class SlowClient : public BridgeTest {
 protected:
  std::unique_ptr<ByteClient> connect_http() {
    return std::make_unique<ByteClient>(stage, socket_path(2));
  }
  static std::string upload(std::string_view length) {
    return "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::string(length) +
           "\r\n\r\n";
  }
};

TEST_F(SlowClient, SilentHttpClientIsAnswered408AndClosed) {
  shop(settings).timeouts.body = milliseconds(200);
  start();
  FakeWorker& worker = add_worker();
  // So little is missing that HTTP would otherwise wait for it and keep the connection.
  const auto client = connect_http();
  client->raw(upload("10") + "some");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  ASSERT_TRUE(client->wait_closed());
  EXPECT_TRUE(client->received().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_NE(client->received().find("Connection: close\r\n"), std::string::npos);
  until([&] { return request->aborted; }, "the abort");
  EXPECT_FALSE(request->body_ended);
  EXPECT_TRUE(bridge().wait_for_log("timeouts.body passed"));
  EXPECT_EQ(score().errors, 0u);
  EXPECT_EQ(score().timeouts, 0u);
}

TEST_F(SlowClient, SilentFrontServerIsAnswered408AndKeepsItsConnection) {
  shop(settings).timeouts.body = milliseconds(200);
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->begin(1, variables("POST", "/", {{"CONTENT_LENGTH", "10"}}), true);
  client->body(1, "some");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 408);
  until([&] { return request->aborted; }, "the abort");
  request->end();
  client->body(1, "too late");
  client->body_end(1);
  client->get(2, "/next", true);
  const auto next = worker.next_request();
  ASSERT_TRUE(next);
  next->respond("ok");
  ASSERT_TRUE(client->wait(2));
  EXPECT_EQ(client->answer(2).status(), 200);
}

TEST_F(SlowClient, BegunResponseIsBrokenOff) {
  shop(settings).timeouts.body = milliseconds(200);
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->begin(1, variables("POST", "/", {{"CONTENT_LENGTH", "10"}}));
  client->body(1, "some");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write("Status: 200\r\n\r\nbegun");
  until([&] { return client->broken(); }, "the response broken");
  EXPECT_EQ(client->answer(1).body(), "begun");
  EXPECT_FALSE(client->answer(1).ended);
  until([&] { return request->aborted; }, "the abort");
  EXPECT_EQ(score().errors, 0u) << "the worker is not to blame";
}

// The worker's window is full: it is not the client who is waited for.
TEST_F(SlowClient, ApplicationThatReadsNothingIsNoSilenceOfTheClient) {
  shop(settings).timeouts.body = milliseconds(200);
  start();
  FakeWorker& worker = add_worker({.return_credit = false});
  const auto slow = connect();
  const std::string body(1'000'000, 'x');
  slow->begin(1, variables("POST", "/", {{"CONTENT_LENGTH", "1000000"}}));
  slow->body(1, body);
  slow->body_end(1);
  const auto upload = worker.next_request();
  ASSERT_TRUE(upload);
  // Another one that is silent tells when the time has passed.
  for (int i = 0; i < 2; ++i) {
    const auto silent = connect();
    silent->begin(1, variables("POST", "/", {{"CONTENT_LENGTH", "10"}}));
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    ASSERT_TRUE(silent->wait(1));
    EXPECT_EQ(silent->answer(1).status(), 408);
    request->end();
  }
  EXPECT_FALSE(upload->aborted);
  upload->respond("ok");
  ASSERT_TRUE(slow->wait(1));
  EXPECT_EQ(slow->answer(1).status(), 200);
}

// The response has ended, its last bytes are unsent: no request is left that could time out.
TEST_F(SlowClient, ConnectionWithTheEndOfAResponseIsClosedToo) {
  shop(settings).timeouts.send = milliseconds(400);
  start();
  FakeWorker& worker = add_worker({.window = 1024 * 1024});
  const auto slow = connect_http();
  slow->read(false);
  slow->raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->respond(std::string(250'000, 'x'));
  until([&] { return score().active == 0; }, "the worker free");
  EXPECT_TRUE(bridge().wait_for_log("timeouts.send"));
  slow->read(true);
  ASSERT_TRUE(slow->wait_closed());
  EXPECT_LT(slow->received().size(), 250'000u);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
