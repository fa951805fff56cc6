// Connections to servers of others that are kept between requests (keepalive), where a process of
// the server serves one connection.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using config::Address;
using std::chrono::milliseconds;

class KeptConnections : public BridgeTest {
 protected:
  KeptConnections() {
    shop(settings).server.keepalive = true;
    server = &make_worker(plain());
    shop(settings).connect.push_back({Address::Kind::unix_path, server->path(), 0});
  }
  void serve() {
    start();
    say_state(channel::AppState::serving);
  }
  /// So many connections, which rest from now on, in the order of `server->links()`.
  void keep(protocol::RequestId connections) {
    const auto client = connect();
    const std::size_t before = server->requests.size();
    for (protocol::RequestId id = 1; id <= connections; ++id) client->get(id, "/", true);
    until([&] { return server->requests.size() == before + connections; }, "all at once");
    for (protocol::RequestId id = 1; id <= connections; ++id) {
      // One after the other: it shows who rests longest.
      server->next_request()->respond("ok");
      until([&] { return answered(*client) == id; }, "an answer");
    }
    ASSERT_EQ(server->links().size(), connections);
  }
  static std::size_t answered(FrontClient& client) {
    std::size_t count = 0;
    for (protocol::RequestId id = 1; id <= 8; ++id) count += client.answer(id).ended ? 1 : 0;
    return count;
  }
  void wait(milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    until([&] { return std::chrono::steady_clock::now() >= end; }, "a while");
  }

  FakeWorker* server;
};

TEST_F(KeptConnections, TheOneThatRestsLongestIsUsed) {
  serve();
  keep(2);
  const auto links = server->links();
  for (std::size_t i = 0; i < 4; ++i) {
    const auto client = connect();
    client->get(1, "/");
    const auto request = server->next_request();
    ASSERT_TRUE(request);
    EXPECT_EQ(request->link, links[i % 2]) << i;
    request->respond("ok");
    ASSERT_TRUE(client->wait(1));
  }
}

TEST_F(KeptConnections, ARequestThatIsNotReadGoesOverAnother) {
  serve();
  keep(2);
  const auto links = server->links();
  links[0]->read(false);
  const auto client = connect();
  client->get(1, "/behind");
  const auto request = server->next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->link, links[1]);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_EQ(server->all_links.size(), 2u);
  EXPECT_EQ(score().retried.load(), 1u);
  EXPECT_EQ(bridge().log_count("server is down"), 0u);
}

TEST_F(KeptConnections, WhereNoneIsReadANewOneIsMade) {
  serve();
  keep(3);
  for (WorkerLink* const link : server->links()) link->read(false);
  const auto client = connect();
  client->get(1, "/behind");
  const auto lost = server->next_request();
  ASSERT_TRUE(lost);
  EXPECT_EQ(server->all_links.size(), 4u);
  EXPECT_EQ(score().retried.load(), 3u);
  // This was its first attempt.
  lost->link->close();
  const auto request = server->next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
}

TEST_F(KeptConnections, ARequestThatWasReadStays) {
  serve();
  keep(2);
  const auto client = connect();
  client->get(1, "/slow");
  const auto request = server->next_request();
  ASSERT_TRUE(request);
  wait(milliseconds(400));
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_EQ(server->requests.size(), 3u);
  EXPECT_EQ(score().retried.load(), 0u);
}

TEST_F(KeptConnections, IdleOnesAreClosedWhenANewOneStaysSilent) {
  serve();
  keep(2);
  const auto kept = server->links();
  server->accept(false);  // all its processes are held
  const auto client = connect();
  client->post(1, "/", "data");
  until([&] { return kept[0]->ended() && kept[1]->ended(); }, "the idle ones to be closed");
  server->accept(true);
  const auto request = server->next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
}

TEST_F(KeptConnections, OneThatBecomesIdleMeanwhileIsClosedToo) {
  serve();
  keep(1);
  WorkerLink* const kept = server->links()[0];
  const auto busy = connect();
  busy->get(1, "/");
  const auto long_one = server->next_request();
  ASSERT_TRUE(long_one);
  EXPECT_EQ(long_one->link, kept);
  server->accept(false);
  const auto client = connect();
  client->get(1, "/");
  // More than ConnectionRoom::kSilence.
  wait(milliseconds(500));
  long_one->respond("ok");
  ASSERT_TRUE(busy->wait(1));
  until([&] { return kept->ended(); }, "it to be closed");
  server->accept(true);
  const auto request = server->next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
}

TEST_F(KeptConnections, OtherThreadsMakeRoomToo) {
  settings.threads = 2;
  shop(settings).concurrency.limit = 8;
  serve();
  // Until both threads keep one.
  std::vector<std::unique_ptr<FrontClient>> clients;
  while (server->links().size() < 2) {
    clients.push_back(connect());
    clients.back()->get(1, "/", true);
    const auto request = server->next_request();
    ASSERT_TRUE(request);
    request->respond("ok");
    ASSERT_TRUE(clients.back()->wait(1));
  }
  const auto kept = server->links();
  server->accept(false);
  const auto client = connect();
  client->post(1, "/", "data");
  until([&] { return kept[0]->ended() && kept[1]->ended(); }, "those of both threads");
  server->accept(true);
  const auto request = server->next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
