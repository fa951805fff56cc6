// Connections to servers of others that are kept between requests (keepalive), where a process of
// the server serves one connection.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using config::Address;
using std::chrono::hours;
using std::chrono::milliseconds;

class KeptConnections : public BridgeTest {
 protected:
  KeptConnections() {
    how().keepalive = true;
    how().silence = hours(1);
    server = &make_worker(plain());
    shop(settings).connect.push_back({Address::Kind::unix_path, server->path(), 0});
  }
  config::ServerSettings& how() { return shop(settings).server; }
  void serve() {
    start();
    say_state(channel::AppState::serving);
  }
  /// So many connections, which rest from now on, in the order of `server->links()`. Those that
  /// were closed meanwhile, because the bridge saw a silent one, are made again.
  void keep(protocol::RequestId connections) {
    for (int round = 0; round < 20 && server->links().size() != connections; ++round) {
      const auto client = connect();
      const std::size_t before = server->requests.size();
      for (protocol::RequestId id = 1; id <= connections; ++id) client->get(id, "/", true);
      until([&] { return server->requests.size() == before + connections; }, "all at once");
      for (protocol::RequestId id = 1; id <= connections; ++id) {
        // One after the other: it shows who rests longest.
        server->next_request()->respond("ok");
        until([&] { return answered(*client) == id; }, "an answer");
      }
    }
    ASSERT_EQ(server->links().size(), connections);
  }
  /// Returns once a request over that connection, which rests, was taken back: the bridge has then
  /// looked at all that have gone unread for as long.
  void see_another_taken_back(WorkerLink& resting) {
    resting.read(false);
    const auto client = connect();
    client->get(1, "/behind");
    const auto request = server->next_request();
    ASSERT_TRUE(request);
    EXPECT_EQ(request->param("REQUEST_URI"), "/behind");
    EXPECT_NE(request->link, &resting);
    request->respond("ok");
    ASSERT_TRUE(client->wait(1));
  }
  static std::size_t answered(FrontClient& client) {
    std::size_t count = 0;
    for (protocol::RequestId id = 1; id <= 8; ++id) count += client.answer(id).ended ? 1 : 0;
    return count;
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

TEST_F(KeptConnections, ARequestThatIsNotReadGoesOverANewOne) {
  how().unread = milliseconds(100);
  serve();
  keep(2);
  const auto links = server->links();
  links[0]->read(false);
  const auto client = connect();
  client->get(1, "/behind");
  const auto request = server->next_request();
  ASSERT_TRUE(request);
  EXPECT_NE(request->link, links[1]);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_EQ(server->all_links.size(), 3u);
  EXPECT_EQ(score().retried.load(), 1u);
  EXPECT_EQ(bridge().log_count("server is down"), 0u);
}

// Each connection that it is taken back from may run it later.
TEST_F(KeptConnections, ARequestIsTakenBackOnce) {
  how().unread = milliseconds(100);
  serve();
  keep(3);
  for (WorkerLink* const link : server->links()) link->read(false);
  const auto client = connect();
  client->get(1, "/behind");
  const auto lost = server->next_request();
  ASSERT_TRUE(lost);
  EXPECT_EQ(server->all_links.size(), 4u);
  EXPECT_EQ(score().retried.load(), 1u);
  // This was its first attempt.
  lost->link->close();
  const auto request = server->next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
}

TEST_F(KeptConnections, ARequestThatWasReadStays) {
  how().unread = kScheduled;
  serve();
  keep(2);
  const auto links = server->links();
  const auto client = connect();
  client->get(1, "/slow");
  const auto request = server->next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->link, links[0]);
  see_another_taken_back(*links[1]);
  EXPECT_FALSE(links[0]->ended());
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_EQ(server->requests.size(), 4u);
  EXPECT_EQ(score().retried.load(), 1u) << "the other one";
}

struct Body {
  std::size_t length;
  config::Buffering buffering;
};

class KeptConnectionsBodies : public KeptConnections, public ::testing::WithParamInterface<Body> {};

TEST_P(KeptConnectionsBodies, ARequestWhoseBodyIsLeftUnreadStays) {
  how().unread = kScheduled;
  shop(settings).buffer_requests = GetParam().buffering;
  serve();
  keep(2);
  const auto links = server->links();
  links[0]->leave_bodies();
  const auto client = connect();
  const std::string body(GetParam().length, 'x');
  const std::string length = std::to_string(body.size());
  client->request(1, variables("PUT", "/", {{"CONTENT_LENGTH", length}}), body);
  const auto request = server->next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->link, links[0]);
  see_another_taken_back(*links[1]);
  EXPECT_FALSE(links[0]->ended());
  links[0]->read(true);
  until([&] { return request->body_ended; }, "all of the body");
  EXPECT_EQ(request->body, body);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_EQ(server->requests.size(), 4u);
  EXPECT_EQ(score().retried.load(), 1u) << "the other one";
}

INSTANTIATE_TEST_SUITE_P(All, KeptConnectionsBodies,
                         ::testing::Values(Body{64 * 1024, config::Buffering::automatic},
                                           Body{200 * 1000, config::Buffering::never}));

TEST_F(KeptConnections, IdleOnesAreClosedWhenANewOneStaysSilent) {
  how().silence = milliseconds(250);
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
  how().silence = milliseconds(250);
  serve();
  keep(2);
  const auto links = server->links();
  const auto busy = connect();
  busy->get(1, "/");
  const auto long_one = server->next_request();
  ASSERT_TRUE(long_one);
  WorkerLink* const kept = long_one->link;
  server->accept(false);
  const auto client = connect();
  client->post(1, "/", "data");
  until([&] { return links[kept == links[0] ? 1 : 0]->ended(); }, "the idle one to be closed");
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
  how().silence = milliseconds(250);
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
