// Servers that others run: when they count as down, which connections are kept, and what they
// multiplex. That requests reach them at all is in connect_test.cpp.

#include <sys/ioctl.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using channel::Message;
using channel::Type;
using config::Address;
using std::chrono::milliseconds;

class Servers : public BridgeTest {
 protected:
  // Kept connections are not closed because this process was not scheduled.
  Servers() { how().silence = std::chrono::hours(1); }
  config::ServerSettings& how() { return shop(settings).server; }
  void connect_to_path(const std::string& path) {
    shop(settings).connect.push_back({Address::Kind::unix_path, path, 0});
  }
  FakeWorker& add_server(const WorkerOptions& options = plain()) {
    FakeWorker& server = make_worker(options);
    connect_to_path(server.path());
    return server;
  }
  void serve() {
    start();
    say_state(channel::AppState::serving);
  }
  /// A request that the server takes and is lost with.
  void lose_one(FakeWorker& server) {
    const auto client = connect();
    client->post(1, "/", "data");
    const auto request = server.next_request();
    ASSERT_TRUE(request);
    request->link->close();
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 502);
  }
  void get(FakeWorker& server, const std::string& path = "") {
    const auto client = connect();
    client->get(1, "/" + path);
    const auto request = server.next_request();
    ASSERT_TRUE(request);
    request->respond("ok");
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 200);
  }
  /// Whatever the servers have, or get, until the client has had that many.
  void answer_all(FrontClient& client, protocol::RequestId requests,
                  const std::vector<FakeWorker*>& servers) {
    for (protocol::RequestId id = 1; id <= requests; ++id) {
      until(
          [&] {
            for (FakeWorker* const server : servers) {
              while (server->has_request()) server->next_request()->respond("ok");
            }
            return client.answer(id).ended;
          },
          "answers");
      EXPECT_EQ(client.answer(id).status(), 200) << id;
    }
  }
  /// As the master was told last.
  std::optional<Message> said_of(const FakeWorker& server) {
    std::optional<Message> last;
    for (const Message& message : bridge().received()) {
      if (message.type == Type::server && "unix:" + server.path() == message.path.data()) {
        last = message;
      }
    }
    return last;
  }
  bool said(const FakeWorker& server, channel::AppState state) {
    const auto last = said_of(server);
    return last && last->state == state;
  }
};

TEST_F(Servers, OneThatFailsInARowIsDownForAllThreads) {
  settings.threads = 2;
  how().health.fail = 2;
  FakeWorker& bad = add_server();
  FakeWorker& good = add_server();
  serve();
  // Those that the other one gets are answered.
  std::size_t lost = 0;
  while (lost < 2) {
    const auto client = connect();
    client->post(1, "/", "data");
    until([&] { return bad.has_request() || good.has_request(); }, "a server to take it");
    if (good.has_request()) {
      good.next_request()->respond("ok");
      ASSERT_TRUE(client->wait(1));
    } else {
      bad.next_request()->link->close();
      ASSERT_TRUE(client->wait(1));
      ++lost;
    }
  }
  ASSERT_TRUE(bridge().wait_for_log("server is down"));
  // It may hear first that, and then why.
  until(
      [&] {
        return said(bad, channel::AppState::failing) &&
               std::string_view(said_of(bad)->reason.data()) == "closed by the worker";
      },
      "the master to hear of it");
  EXPECT_TRUE(said(good, channel::AppState::serving));
  for (int i = 0; i < 6; ++i) get(good);
  EXPECT_FALSE(bad.has_request());
  EXPECT_EQ(bridge().log_count("server is down"), 1u);
}

TEST_F(Servers, OneThatIsBackGetsItsShareSlowlyWhileAnotherServes) {
  how().health.fail = 1;
  FakeWorker& bad = add_server();
  FakeWorker& good = add_server();
  serve();
  lose_one(bad);
  ASSERT_TRUE(bridge().wait_for_log("server is down"));
  ASSERT_TRUE(bridge().wait_for_log("server is up again"));
  until([&] { return said(bad, channel::AppState::serving); }, "the master to hear of it");
  EXPECT_STREQ(said_of(bad)->reason.data(), "");
  // All of the 32 that the other takes, a tenth of them here; more only after the first second.
  const auto client = connect();
  constexpr protocol::RequestId kAll = 32 + 32;
  for (protocol::RequestId id = 1; id <= kAll; ++id) client->get(id, "/", true);
  until([&] { return bad.requests.size() > 1 + 3 && good.requests.size() >= 32; },
        "the first of them");
  EXPECT_GT(score().queued.load(), 0);
  answer_all(*client, kAll, {&bad, &good});
}

TEST_F(Servers, TheLastOneIsNeverDownBecauseOfRequestsAndTakesAllThatItCan) {
  how().health.fail = 1;
  FakeWorker& only = add_server();
  serve();
  for (int i = 0; i < 3; ++i) lose_one(only);
  EXPECT_EQ(bridge().log_count("server is down"), 0u);
  const auto client = connect();
  for (protocol::RequestId id = 1; id <= 32; ++id) client->get(id, "/", true);
  until([&] { return only.requests.size() == 3 + 32; }, "all of them");
  until([&] { return said_of(only).has_value(); }, "the master to hear of it");
  EXPECT_TRUE(said(only, channel::AppState::serving));
  answer_all(*client, 32, {&only});
}

TEST_F(Servers, TheLastOneIsBackWithItsFirstAnswerAndTakesAllAtOnce) {
  // Checks would take minutes to bring it back.
  how().health = {.interval = milliseconds(100), .fail = 1, .pass = 1000};
  const std::string path = directory.file("worker1");
  connect_to_path(path);
  serve();
  const auto client = connect();
  client->get(1, "/", true);
  ASSERT_TRUE(bridge().wait_for_log("server is down"));
  FakeWorker& only = make_worker(plain());
  ASSERT_EQ(only.path(), path);
  const auto first = only.next_request();
  ASSERT_TRUE(first);
  first->respond("ok");
  ASSERT_TRUE(client->wait(1));
  ASSERT_TRUE(bridge().wait_for_log("server is up again"));
  for (protocol::RequestId id = 2; id <= 33; ++id) client->get(id, "/", true);
  until([&] { return only.requests.size() == 1 + 32; }, "all of them");
  answer_all(*client, 33, {&only});
}

TEST_F(Servers, WhenAllAreDownTheyAreUsedNevertheless) {
  how().health = {.interval = milliseconds(100), .fail = 1, .pass = 1000};
  const std::string path = directory.file("worker1");
  connect_to_path(path);
  serve();
  ASSERT_TRUE(bridge().wait_for_log("server is down"));
  FakeWorker& only = make_worker(plain());
  ASSERT_EQ(only.path(), path);
  get(only);
}

TEST_F(Servers, ARequestThatIsTriedTwiceCountsOnce) {
  how().health.fail = 2;
  std::vector<FakeWorker*> all;
  for (int i = 0; i < 3; ++i) all.push_back(&add_server());
  serve();
  // They take turns: each is the first of one request, and the second of another.
  for (int i = 0; i < 3; ++i) {
    const auto client = connect();
    client->get(1, "/");
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto holder = [&] {
        return std::find_if(all.begin(), all.end(), [](auto* one) { return one->has_request(); });
      };
      until([&] { return holder() != all.end(); }, "a server to take it");
      (*holder())->next_request()->link->close();
    }
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 502);
  }
  for (const FakeWorker* one : all) EXPECT_EQ(one->requests.size(), 2u);
  EXPECT_EQ(bridge().log_count("server is down"), 0u);
}

TEST_F(Servers, AHeadThatIsLongerThanAllThatItAnsweredIsToBlame) {
  how().health.fail = 1;
  FakeWorker& first = add_server();
  FakeWorker& second = add_server();
  serve();
  get(first, std::string(200, 'u'));
  const auto lose = [&](FakeWorker& server, std::string_view cookie) {
    const auto client = connect();
    client->begin(1, variables("POST", "/", {{"HTTP_COOKIE", cookie}}));
    client->body_end(1);
    const auto request = server.next_request();
    ASSERT_TRUE(request);
    request->link->close();
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 502);
  };
  // The one that has answered nothing itself comes first: they take turns.
  lose(second, std::string(5000, 'c'));
  lose(first, std::string(5000, 'c'));
  EXPECT_EQ(bridge().log_count("server is down"), 0u);
  lose(second, "");
  EXPECT_TRUE(bridge().wait_for_log("server is down"));
}

TEST_F(Servers, TimeOutsCountAsFailures) {
  how().health.fail = 1;
  shop(settings).timeouts.request = milliseconds(200);
  FakeWorker& silent = add_server();
  add_server();
  serve();
  const auto client = connect();
  client->get(1, "/");
  ASSERT_TRUE(silent.next_request());
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 504);
  EXPECT_TRUE(bridge().wait_for_log("server is down"));
}

TEST_F(Servers, CheckedOnesAreFoundDownAndUpWithoutRequests) {
  how().health = {.interval = milliseconds(100), .fail = 2, .pass = 2};
  const std::string path = directory.file("worker1");
  connect_to_path(path);
  serve();
  ASSERT_TRUE(bridge().wait_for_log("server is down"));
  FakeWorker& server = make_worker(plain());
  ASSERT_EQ(server.path(), path);
  ASSERT_TRUE(bridge().wait_for_log("server is up again"));
  until([&] { return said(server, channel::AppState::serving); }, "the master to hear of it");
  EXPECT_GE(server.all_links.size(), 2u);
  EXPECT_TRUE(server.requests.empty());
  get(server);
}

TEST_F(Servers, TheMasterHearsWhatTheyWereGiven) {
  FakeWorker& server = add_server();
  serve();
  get(server);
  const auto client = connect();
  client->get(1, "/");
  const auto request = server.next_request();
  ASSERT_TRUE(request);
  const auto given = [&] {
    std::uint32_t sum = 0;
    for (const Message& message : bridge().received()) {
      if (message.type == Type::server) sum += message.count;
    }
    return sum;
  };
  until([&] { return given() == 2 && said_of(server)->busy == 1; }, "two, of which one is there");
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  until([&] { return said_of(server)->busy == 0; }, "none to be there");
}

TEST_F(Servers, KeptConnectionsServeRequestsThatCanBeRepeated) {
  how().keepalive = true;
  FakeWorker& server = add_server();
  serve();
  get(server);
  get(server);
  EXPECT_EQ(server.all_links.size(), 1u);
  EXPECT_TRUE(server.requests.back()->keep);
  const auto client = connect();
  client->post(1, "/", "data");
  const auto post = server.next_request();
  ASSERT_TRUE(post);
  EXPECT_FALSE(post->keep);
  EXPECT_EQ(server.all_links.size(), 2u);
  post->respond("ok");
  ASSERT_TRUE(client->wait(1));
  get(server);
  EXPECT_EQ(server.all_links.size(), 2u) << "the first one is still there";
}

TEST_F(Servers, WithoutRetriesNoRequestGoesOverAKeptConnection) {
  how().keepalive = true;
  shop(settings).retry = config::Retry::never;
  FakeWorker& server = add_server();
  serve();
  get(server);
  get(server);
  EXPECT_EQ(server.all_links.size(), 2u);
}

// Each may be all that a process of the server can serve.
TEST_F(Servers, IdleConnectionsMakeRoomForOthers) {
  how().keepalive = true;
  shop(settings).concurrency.limit = 2;
  FakeWorker& server = add_server();
  serve();
  const auto client = connect();
  for (protocol::RequestId id = 1; id <= 2; ++id) client->get(id, "/", true);
  until([&] { return server.requests.size() == 2; }, "two at once");
  while (server.has_request()) server.next_request()->respond("ok");
  for (protocol::RequestId id = 1; id <= 2; ++id) ASSERT_TRUE(client->wait(id));
  EXPECT_EQ(server.links().size(), 2u);
  client->post(3, "/", "data", true);
  const auto post = server.next_request();
  ASSERT_TRUE(post);
  until([&] { return server.links().size() == 2; }, "one of the idle ones to be closed");
  client->get(4, "/", true);
  const auto get = server.next_request();
  ASSERT_TRUE(get);
  EXPECT_EQ(server.all_links.size(), 3u) << "over the other idle one";
  client->get(5, "/", true);
  until([&] { return score().queued.load() == 1; }, "the limit");
  post->respond("ok");
  get->respond("ok");
  const auto last = server.next_request();
  ASSERT_TRUE(last);
  last->respond("ok");
  for (protocol::RequestId id = 3; id <= 5; ++id) EXPECT_TRUE(client->wait(id));
}

TEST_F(Servers, ThreadsShareWhatMayBeKept) {
  settings.threads = 2;
  how().keepalive = true;
  shop(settings).concurrency.limit = 2;
  FakeWorker& server = add_server();
  serve();
  for (int i = 0; i < 12; ++i) {
    get(server);
    EXPECT_LE(server.links().size(), 2u);
  }
}

TEST_F(Servers, AKeptConnectionThatTheServerClosedIsNobodysFault) {
  how().keepalive = true;
  how().health.fail = 1;
  FakeWorker& server = add_server();
  serve();
  get(server);
  const auto client = connect();
  bridge().freeze();
  client->get(1, "/");
  server.links().front()->close();
  bridge().thaw();
  const auto request = server.next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_EQ(bridge().log_count("server is down"), 0u);
}

// The first attempt, over a connection that the server was just closing, says nothing of the
// second.
TEST_F(Servers, ALossBehindThatOfAKeptConnectionCounts) {
  how().keepalive = true;
  how().health.fail = 1;
  FakeWorker& one = add_server();
  FakeWorker& two = add_server();
  serve();
  const auto client = connect();
  // Longer than those that follow: a head longer than any answered would be to blame itself.
  client->request(1, variables("GET", "/", {{"HTTP_LONG", std::string(200, 'x')}}), "", true);
  until([&] { return one.has_request() || two.has_request(); }, "one that keeps a connection");
  FakeWorker& keeper = one.has_request() ? one : two;
  FakeWorker& other = &keeper == &one ? two : one;
  keeper.next_request()->respond("ok");
  ASSERT_TRUE(client->wait(1));
  WorkerLink& kept = *keeper.links().front();
  kept.read(false);
  const auto written = [&] {
    int waiting = 0;
    return ::ioctl(kept.descriptor(), FIONREAD, &waiting) == 0 && waiting > 0;
  };
  for (protocol::RequestId id = 2; !written(); ++id) {
    // Behind a request with a body no connection is kept.
    client->request(id, variables("PUT", "/", {{"CONTENT_LENGTH", "4"}}), "data", true);
    until([&] { return written() || other.has_request(); }, "one that gets it");
    if (!other.has_request()) break;
    other.next_request()->respond("ok");
    ASSERT_TRUE(client->wait(id));
  }
  kept.close();
  const auto request = other.next_request();
  ASSERT_TRUE(request);
  request->link->close();
  EXPECT_TRUE(bridge().wait_for_log("server is down"));
}

class Multiplexed : public Servers {
 protected:
  Multiplexed() { how().multiplex = config::Multiplex::automatic; }
  /// Until requests go to the link that was asked.
  void await_link(FakeWorker& server) {
    for (;;) {
      const auto client = connect();
      client->get(1, "/");
      const auto request = server.next_request();
      ASSERT_TRUE(request);
      const bool windowed = request->link->bridge_window() != 0;
      request->respond("ok");
      ASSERT_TRUE(client->wait(1));
      if (windowed) return;
    }
  }
};

TEST_F(Multiplexed, ManyRequestsShareOneLink) {
  FakeWorker& server = add_server(WorkerOptions{.max_reqs = 64});
  serve();
  await_link(server);
  const auto client = connect();
  const std::size_t before = server.requests.size();
  for (protocol::RequestId id = 1; id <= 65; ++id) client->get(id, "/", true);
  until([&] { return server.requests.size() == before + 64 && score().queued.load() == 1; },
        "as many as it takes at once");
  WorkerLink* const link = server.requests.back()->link;
  for (std::size_t i = before; i < server.requests.size(); ++i) {
    EXPECT_EQ(server.requests[i]->link, link);
  }
  for (protocol::RequestId id = 1; id <= 65; ++id) server.next_request()->respond("ok");
  for (protocol::RequestId id = 1; id <= 65; ++id) EXPECT_TRUE(client->wait(id));
  EXPECT_FALSE(link->cheated());
}

TEST_F(Multiplexed, TheConfiguredLimitHolds) {
  shop(settings).concurrency.limit = 2;
  FakeWorker& server = add_server(WorkerOptions{.max_reqs = 64});
  serve();
  await_link(server);
  const auto client = connect();
  const std::size_t before = server.requests.size();
  for (protocol::RequestId id = 1; id <= 3; ++id) client->get(id, "/", true);
  until([&] { return server.requests.size() == before + 2 && score().queued.load() == 1; },
        "two at the server, one in the queue");
  for (protocol::RequestId id = 1; id <= 3; ++id) server.next_request()->respond("ok");
  for (protocol::RequestId id = 1; id <= 3; ++id) EXPECT_TRUE(client->wait(id));
}

TEST_F(Multiplexed, AServerThatCannotGetsAConnectionPerRequest) {
  FakeWorker& server = add_server(plain());
  serve();
  for (int i = 0; i < 3; ++i) get(server);
  for (const auto& request : server.requests) EXPECT_FALSE(request->keep);
  until([&] { return server.all_links.size() == 4 && server.links().empty(); },
        "three, and the one that was asked, to be closed");
}

TEST_F(Multiplexed, ALinkThatIsLostIsMadeAgain) {
  FakeWorker& server = add_server(WorkerOptions{.max_reqs = 64});
  serve();
  await_link(server);
  const auto client = connect();
  client->get(1, "/");
  const auto first = server.next_request();
  ASSERT_TRUE(first);
  first->link->close();
  const auto again = server.next_request();
  ASSERT_TRUE(again);
  again->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  await_link(server);
}

TEST_F(Multiplexed, AClientThatLeavesAbortsItsRequestOnly) {
  FakeWorker& server = add_server(WorkerOptions{.max_reqs = 64});
  serve();
  await_link(server);
  auto impatient = connect();
  impatient->get(1, "/");
  const auto given_up = server.next_request();
  ASSERT_TRUE(given_up);
  const auto patient = connect();
  patient->get(1, "/");
  const auto kept = server.next_request();
  ASSERT_TRUE(kept);
  ASSERT_EQ(given_up->link, kept->link);
  impatient.reset();
  until([&] { return given_up->aborted; }, "the abort");
  given_up->end();
  kept->respond("ok");
  ASSERT_TRUE(patient->wait(1));
  EXPECT_EQ(patient->answer(1).status(), 200);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
