// The end of a bridge: drained alone, drained with a successor, left by its master.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/channel/background_closer.hpp"
#include "daemon/channel/channel.hpp"
#include "daemon/channel/hand_over.hpp"
#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/daemon/channel/lingering_socket.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using channel::Type;

class Drain : public BridgeTest {
 protected:
  // A second bridge that has the same worker and takes over idle connections.
  std::unique_ptr<BridgeProcess> succeed(const FakeWorker& worker) {
    return succeed(worker, spawn());
  }

  std::unique_ptr<BridgeProcess> succeed(const FakeWorker& worker,
                                         std::unique_ptr<BridgeProcess> next) {
    EXPECT_TRUE(next->wait_for(Type::started));
    announce(*next, worker, true);
    channel::Message serving;
    serving.type = Type::app_state;
    serving.state = channel::AppState::serving;
    next->send(serving);
    channel::Message accept;
    accept.type = Type::accept;
    next->send(accept);
    const channel::Pair between = channel::make_pair();
    channel::Message adopt;
    adopt.type = Type::adopt;
    next->send(adopt, between.second);
    say(Type::drain, between.first);
    return next;
  }

  // A connection of the first listener that a predecessor has accepted.
  struct AcceptedBefore {
    std::unique_ptr<FrontClient> client;
    UniqueFd connection;
  };
  AcceptedBefore accept_before() {
    if (listeners.empty()) listen();
    auto client = connect();
    return {std::move(client), UniqueFd(::accept4(listeners[0], nullptr, nullptr, SOCK_CLOEXEC))};
  }

  channel::BackgroundCloser closer;
};

TEST_F(Drain, ConnectionsEndWithTheirNextResponse) {
  start();
  FakeWorker& worker = add_worker();
  const auto idle = connect();
  idle->get(1, "/", true);
  worker.next_request()->respond("ok");
  ASSERT_TRUE(idle->wait(1));
  const auto busy = connect();
  busy->get(1, "/", true);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  say(Type::drain);
  ASSERT_TRUE(idle->wait_closed());
  EXPECT_EQ(bridge().count(Type::drained), 0u);
  request->respond("last");
  ASSERT_TRUE(busy->wait(1));
  EXPECT_EQ(busy->answer(1).body(), "last");
  ASSERT_TRUE(busy->wait_closed());
  EXPECT_FALSE(busy->broken());
  ASSERT_TRUE(bridge().wait_for(Type::drained));
  expect_clean_exit(bridge());
}

TEST_F(Drain, RequestThatWaitsIsStillServed) {
  start();
  const auto client = connect();
  client->get(1, "/", true);
  until([&] { return score().queued == 1; }, "the request in the queue");
  say(Type::drain);
  FakeWorker& worker = add_worker();
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  ASSERT_TRUE(bridge().wait_for(Type::drained));
}

TEST_F(Drain, DrainedWithoutConnectionsIsDrainedAtOnce) {
  start();
  add_worker();
  add_worker(plain());
  say(Type::drain);
  ASSERT_TRUE(bridge().wait_for(Type::drained));
  expect_clean_exit(bridge());
}

TEST_F(Drain, IdleConnectionsGoToTheSuccessor) {
  start();
  FakeWorker& worker = add_worker();
  std::vector<std::unique_ptr<FrontClient>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(connect());
    clients.back()->get(1, "/", true);
    worker.next_request()->respond("old");
    ASSERT_TRUE(clients.back()->wait(1));
  }
  const auto busy = connect();
  busy->get(1, "/busy", true);
  const auto request = worker.next_request();
  const auto next = succeed(worker);
  until([&] { return bridge().scores().connections == 1; }, "the connections handed over");
  for (const auto& client : clients) {
    client->get(1, "/", true);
    const auto again = worker.next_request();
    ASSERT_TRUE(again);
    again->respond("new");
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).body(), "new");
  }
  EXPECT_EQ(next->scores().connections, 50);
  request->respond("old");
  ASSERT_TRUE(busy->wait(1));
  ASSERT_TRUE(bridge().wait_for(Type::drained));
  // The busy one follows the others, open all the time.
  busy->get(1, "/", true);
  const auto after = worker.next_request();
  ASSERT_TRUE(after);
  after->respond("new");
  ASSERT_TRUE(busy->wait(1));
  EXPECT_EQ(busy->answer(1).body(), "new");
  EXPECT_EQ(next->count(Type::ready), 0u) << "the worker was ready before";
  next->leave();
  expect_clean_exit(*next);
}

// A plain worker serves one connection at a time: whoever keeps one shuts out the other bridge.

TEST_F(Drain, PlainWorkerIsNotHeldByABridgeThatDoesNotAcceptYet) {
  start();
  FakeWorker& worker = add_worker(plain());
  const auto next = spawn();
  ASSERT_TRUE(next->wait_for(Type::started));
  const std::size_t before = worker.all_links.size();
  announce(*next, worker, true);
  until([&] { return worker.all_links.size() > before && worker.all_links.back()->ended(); },
        "the question's connection closed");
  next->leave();
  expect_clean_exit(*next);
}

TEST_F(Drain, PlainWorkerIsNotHeldWhileThePredecessorHasRequests) {
  start();
  FakeWorker& worker = add_worker(plain(2));
  const auto busy = connect();
  busy->get(1, "/busy", true);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  const auto next = succeed(worker);
  const auto client = connect();
  client->get(1, "/", true);
  const auto beside = worker.next_request();
  ASSERT_TRUE(beside);
  EXPECT_FALSE(beside->keep);
  WorkerLink* const link = beside->link;
  beside->respond("new");
  ASSERT_TRUE(client->wait(1));
  until([&] { return link->closed() || link->ended(); }, "its connection closed");
  request->respond("old");
  ASSERT_TRUE(busy->wait(1));
  ASSERT_TRUE(bridge().wait_for(Type::drained));
  expect_clean_exit(bridge());
  // That the other one is gone is noticed in time, not at once.
  bool kept = false;
  until(
      [&] {
        client->get(1, "/", true);
        const auto after = worker.next_request();
        if (!after) return false;
        kept = after->keep;
        after->respond("new");
        return client->wait(1) && kept;
      },
      "a connection that is kept");
  next->leave();
  expect_clean_exit(*next);
}

TEST_F(Drain, SuccessorKnowsConnectionsByTheirListeningSocket) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/", true);
  worker.next_request()->respond("old");
  ASSERT_TRUE(client->wait(1));
  config::BridgeSettings swapped = settings;
  std::swap(swapped.listeners[0], swapped.listeners[1]);
  std::vector<int> swapped_sockets = listeners;
  std::swap(swapped_sockets[0], swapped_sockets[1]);
  const auto next =
      succeed(worker, std::make_unique<BridgeProcess>(stage, swapped, swapped_sockets));
  ASSERT_TRUE(bridge().wait_for(Type::drained));
  client->get(1, "/", true);
  const auto again = worker.next_request();
  ASSERT_TRUE(again) << "FastCGI came to the SCGI listener";
  again->respond("new");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).body(), "new");
  next->leave();
  expect_clean_exit(*next);
}

TEST_F(Drain, ConnectionsOfADroppedListenerAreClosed) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/", true);
  worker.next_request()->respond("old");
  ASSERT_TRUE(client->wait(1));
  config::BridgeSettings fewer = settings;
  fewer.listeners.erase(fewer.listeners.begin());
  const std::vector<int> fewer_sockets(listeners.begin() + 1, listeners.end());
  const auto next = succeed(worker, std::make_unique<BridgeProcess>(stage, fewer, fewer_sockets));
  EXPECT_TRUE(client->wait_closed());
  EXPECT_EQ(next->scores().connections, 0);
  next->leave();
  expect_clean_exit(*next);
}

TEST_F(Drain, WaitsForWhatItsPredecessorStillHandsOver) {
  const AcceptedBefore accepted = accept_before();
  start();
  add_worker();
  const channel::Pair before = channel::make_pair();
  say(Type::adopt, before.second);
  const channel::Pair after = channel::make_pair();
  say(Type::drain, after.first);
  const UniqueFd predecessor(before.first);
  const UniqueFd successor(after.second);
  ASSERT_FALSE(channel::send_connection(predecessor.get(), channel::socket_identity(listeners[0]),
                                        accepted.connection.get()));
  std::optional<channel::HandedOver> passed_on;
  until(
      [&] {
        std::error_code error;
        passed_on = channel::receive_connection(successor.get(), closer, error);
        return passed_on.has_value();
      },
      "the connection at the successor");
  EXPECT_EQ(bridge().count(Type::drained), 0u) << "more may come";
  EXPECT_EQ(channel::socket_identity(passed_on->connection.get()),
            channel::socket_identity(accepted.connection.get()));
  ::shutdown(predecessor.get(), SHUT_RDWR);
  ASSERT_TRUE(bridge().wait_for(Type::drained));
}

// A predecessor in other hands gives away whatever it could open.
TEST_F(Drain, SocketsThatAreNoneOfTheListenersEndTheHandOver) {
  start();
  FakeWorker& worker = add_worker();
  constexpr int kLongerThanTheTest = 3600;
  channel::LingeringSocket lingering(kLongerThanTheTest);
  const channel::Pair between = channel::make_pair();
  const UniqueFd predecessor(between.first);
  say(Type::adopt, between.second);
  bridge().freeze();
  for (int i = 0; i < 10; ++i) {
    ASSERT_FALSE(channel::send_connection(predecessor.get(), channel::socket_identity(listeners[0]),
                                          lingering.socket.get()));
  }
  lingering.socket.reset();
  bridge().thaw();
  ASSERT_TRUE(bridge().wait_for_log("none of the listener"));
  const auto client = connect();
  client->get(1, "/", true);
  const auto request = worker.next_request();
  ASSERT_TRUE(request) << "the bridge waits for the socket";
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(bridge().log_count("none of the listener"), 1u);
}

TEST_F(Drain, PacketsOfAnotherFormEndTheHandOver) {
  start();
  add_worker();
  const channel::Pair between = channel::make_pair();
  const UniqueFd predecessor(between.first);
  say(Type::adopt, between.second);
  ASSERT_FALSE(channel::send_packet(predecessor.get(), std::array<std::byte, 3>{}, 0));
  ASSERT_TRUE(bridge().wait_for_log("connections are not taken over any more"));
}

// The first one lingers, so that the others wait to be closed.
TEST_F(Drain, TooManyThatAreRefusedEndTheHandOver) {
  start();
  constexpr int kLongerThanTheTest = 3600;
  channel::LingeringSocket lingering(kLongerThanTheTest);
  const channel::Pair between = channel::make_pair();
  const UniqueFd predecessor(between.first);
  say(Type::adopt, between.second);
  constexpr std::uint64_t kNoListener = 1;
  // The bridge is to close it last: whoever does waits.
  bridge().freeze();
  ASSERT_FALSE(channel::send_connection(predecessor.get(), kNoListener, lingering.socket.get()));
  lingering.socket.reset();
  bridge().thaw();
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::error_code error;
  for (int i = 0; i < 100'000 && error != std::errc::broken_pipe; ++i) {
    error = channel::send_connection(predecessor.get(), kNoListener, file.get());
    pollfd room{predecessor.get(), POLLOUT, 0};
    if (error) ::poll(&room, 1, 100);
  }
  EXPECT_EQ(error, std::errc::broken_pipe) << "the end of the hand-over";
  EXPECT_TRUE(bridge().wait_for_log("too many that are refused"));
}

TEST_F(Drain, NoMoreConnectionsAreTakenOverThanTwiceTheLimit) {
  settings.limits.connections = 2;
  std::vector<AcceptedBefore> accepted;
  for (int i = 0; i < 5; ++i) accepted.push_back(accept_before());
  start();
  const channel::Pair between = channel::make_pair();
  const UniqueFd predecessor(between.first);
  say(Type::adopt, between.second);
  std::int64_t open = 0;
  for (const AcceptedBefore& one : accepted) {
    ASSERT_FALSE(channel::send_connection(predecessor.get(), channel::socket_identity(listeners[0]),
                                          one.connection.get()));
    if (open == 4) break;
    ++open;
    until([&] { return bridge().scores().connections == open; }, "one more connection");
  }
  accepted.back().connection.reset();
  ASSERT_TRUE(accepted.back().client->wait_closed());
  EXPECT_EQ(bridge().scores().connections, 4);
}

// The predecessor may still have the socket that it gave away: SO_LINGER would make close() wait.
TEST_F(Drain, ConnectionsThatWereHandedOverDoNotLinger) {
  const AcceptedBefore accepted = accept_before();
  const int theirs = accepted.connection.get();
  const auto set_linger = [theirs] {
    const linger wait{1, 3600};
    ::setsockopt(theirs, SOL_SOCKET, SO_LINGER, &wait, sizeof(wait));
  };
  const auto lingers = [theirs] {
    linger now{};
    socklen_t size = sizeof(now);
    ::getsockopt(theirs, SOL_SOCKET, SO_LINGER, &now, &size);
    return now.l_onoff != 0;
  };
  start();
  FakeWorker& worker = add_worker();
  const channel::Pair between = channel::make_pair();
  const UniqueFd predecessor(between.first);
  say(Type::adopt, between.second);
  set_linger();
  ASSERT_FALSE(
      channel::send_connection(predecessor.get(), channel::socket_identity(listeners[0]), theirs));
  accepted.client->get(1, "/", false);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_FALSE(lingers());
  set_linger();
  request->respond("ok");
  ASSERT_TRUE(accepted.client->wait(1));
  until([&] { return bridge().scores().connections == 0; }, "its end");
  EXPECT_FALSE(lingers());
}

TEST_F(Drain, MoreConnectionsThanTheSuccessorsQueueHolds) {
  start();
  FakeWorker& worker = add_worker();
  std::vector<std::unique_ptr<FrontClient>> clients;
  constexpr int kMany = 400;
  for (int i = 0; i < kMany; ++i) clients.push_back(connect());
  until([&] { return bridge().scores().connections == kMany; }, "the connections");
  // Nobody receives for now: the successor's socket fills up.
  const channel::Pair between = channel::make_pair();
  say(Type::drain, between.first);
  until([&] { return bridge().scores().connections < kMany; }, "the first handed over");
  int received = 0;
  const bool all = stage.run_until([&] {
    std::error_code error;
    while (channel::receive_connection(between.second, closer, error)) ++received;
    return received == kMany;
  });
  ::close(between.second);
  EXPECT_TRUE(all) << received;
  EXPECT_EQ(worker.requests.size(), 0u);
  ASSERT_TRUE(bridge().wait_for(Type::drained));
}

TEST_F(Drain, PlainWorkerIsHandedOver) {
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = connect();
  client->get(1, "/", true);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  WorkerLink* const link = request->link;
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  ASSERT_FALSE(link->ended());
  const auto next = succeed(worker);
  until([&] { return link->ended(); }, "the kept connection closed");
  client->get(1, "/", true);
  const auto again = worker.next_request();
  ASSERT_TRUE(again);
  again->respond("new");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).body(), "new");
  next->leave();
  expect_clean_exit(*next);
}

TEST_F(Drain, BridgeEndsWhenItsMasterIsGone) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/");
  ASSERT_TRUE(worker.next_request());
  bridge().leave();
  expect_clean_exit(bridge());
  EXPECT_TRUE(client->wait_closed());
}

TEST_F(Drain, BrokenMessageEndsTheBridgeCleanly) {
  start();
  add_worker();
  channel::Message message;
  message.type = static_cast<Type>(999);
  bridge().send(message);
  EXPECT_TRUE(bridge().wait_for_log("unexpected message from the master"));
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
