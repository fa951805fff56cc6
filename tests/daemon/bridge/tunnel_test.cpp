// Requests that become tunnels: a 101 where the listener has `upgrade: true`.

#include <utility>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using std::chrono::milliseconds;

const WorkerOptions kThreads{.model = "threads"};
constexpr std::string_view kSwitch = "Status: 101\r\nUpgrade: websocket\r\n\r\n";

class Tunnel : public BridgeTest {
 protected:
  void allow_upgrades() { settings.listeners[0].upgrade = true; }
  /// A request as of a WebSocket, whose input stays open.
  std::unique_ptr<FrontClient> ask() {
    auto client = connect();
    client->begin(1, variables("GET", "/socket", {{"HTTP_UPGRADE", "websocket"}}));
    return client;
  }
  /// Returns when timeouts.body has passed for clients that came later.
  void outlast_bodies(FakeWorker& worker) {
    for (int i = 0; i < 2; ++i) {
      const auto silent = connect();
      silent->begin(1, variables("POST", "/", {{"CONTENT_LENGTH", "10"}}));
      silent->body(1, "some");
      ASSERT_TRUE(silent->wait(1));
      EXPECT_EQ(silent->answer(1).status(), 408);
      while (worker.has_request()) worker.next_request()->end();
    }
  }
};

TEST_F(Tunnel, ASilentClientKeepsIt) {
  allow_upgrades();
  shop(settings).timeouts.body = milliseconds(200);
  shop(settings).timeouts.stall = milliseconds(200);
  start();
  for (const WorkerOptions& options : {WorkerOptions{}, plain(), kThreads}) {
    FakeWorker& worker = add_worker(options);
    const auto client = ask();
    const auto request = worker.next_request();
    ASSERT_TRUE(request) << "it is not gathered";
    request->write(kSwitch);
    until([&] { return client->answer(1).status() == 101; }, "the tunnel");
    outlast_bodies(worker);
    client->body(1, "ping");
    until([&] { return request->body == "ping"; }, "the client's word");
    request->write("pong");
    until([&] { return client->answer(1).body() == "pong"; }, "the application's word");
    EXPECT_FALSE(request->aborted);
    client->body_end(1);
    request->end();
    ASSERT_TRUE(client->wait(1));
    kill_worker(worker);
  }
}

TEST_F(Tunnel, TheApplicationIsTheOneToAnswer) {
  allow_upgrades();
  shop(settings).timeouts.body = milliseconds(100);
  shop(settings).timeouts.request = milliseconds(400);
  start();
  FakeWorker& worker = add_worker();
  const auto client = ask();
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 504);
  until([&] { return request->aborted; }, "the abort");
  request->end();
}

TEST_F(Tunnel, AnotherAnswerLeavesABodyToWaitFor) {
  allow_upgrades();
  shop(settings).timeouts.body = milliseconds(200);
  start();
  FakeWorker& worker = add_worker();
  const auto client = ask();
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write("Status: 200\r\n\r\nbegun");
  until([&] { return client->broken(); }, "the response broken");
  EXPECT_TRUE(bridge().wait_for_log("timeouts.body passed"));
}

TEST_F(Tunnel, WhereNoneMayPassTheBodyIsGathered) {
  shop(settings).timeouts.body = milliseconds(200);
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = ask();
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 408);
  EXPECT_FALSE(worker.has_request());
}

// An upload that asks for another protocol is an upload: plain workers get it when it is complete.
TEST_F(Tunnel, ARequestThatMayHaveABodyIsGathered) {
  allow_upgrades();
  shop(settings).timeouts.body = milliseconds(200);
  start();
  FakeWorker& worker = add_worker(plain());
  using Announced = std::pair<const char*, const char*>;
  for (const auto& [method, field] : {Announced{"POST", "HTTP_X"}, Announced{"PUT", "HTTP_X"},
                                      Announced{"GET", "HTTP_TRANSFER_ENCODING"}}) {
    const auto client = connect();
    client->begin(
        1, variables(method, "/upload", {{"HTTP_UPGRADE", "websocket"}, {field, "chunked"}}));
    client->body(1, "some");
    ASSERT_TRUE(client->wait(1)) << method;
    EXPECT_EQ(client->answer(1).status(), 408) << method;
    EXPECT_FALSE(worker.has_request()) << method;
  }
}

// limits.body is of what is held.
TEST_F(Tunnel, ItCarriesMoreThanABodyMayBe) {
  allow_upgrades();
  shop(settings).limits.body = 100'000;
  start();
  FakeWorker& worker = add_worker();
  const auto client = ask();
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write(kSwitch);
  until([&] { return client->answer(1).status() == 101; }, "the tunnel");
  const std::string piece(50'000, 'x');
  for (std::size_t i = 1; i <= 10; ++i) {
    client->body(1, piece);
    until([&] { return request->body.size() == i * piece.size(); }, "a piece");
  }
  EXPECT_FALSE(request->aborted);
  client->body_end(1);
  request->end();
  ASSERT_TRUE(client->wait(1));
}

// One on a connection that others share goes to a file when the application does not read.
TEST_F(Tunnel, ItHoldsNoMoreThanABodyMayBe) {
  allow_upgrades();
  shop(settings).limits.body = 400'000;
  start();
  FakeWorker& worker = add_worker({.return_credit = false});
  const auto client = connect();
  client->get(1, "/other", true);
  const auto other = worker.next_request();
  ASSERT_TRUE(other);
  client->begin(2, variables("GET", "/socket", {{"HTTP_UPGRADE", "websocket"}}), true);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write(kSwitch);
  until([&] { return client->answer(2).status() == 101; }, "the tunnel");
  client->body(2, std::string(600'000, 'x'));
  until([&] { return request->aborted; }, "the end of the tunnel");
  EXPECT_TRUE(bridge().wait_for_log("limits.body"));
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
