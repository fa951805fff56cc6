// An app's other program, and the requests that go to it.

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

class Canaries : public BridgeTest {
 protected:
  Canaries() { shop(settings).canary_variable = "HTTP_X_CANARY"; }

  std::unique_ptr<FrontClient> ask_canary() {
    auto client = connect();
    client->request(1, variables("GET", "/", {{"HTTP_X_CANARY", "1"}}), "");
    return client;
  }

  static constexpr WorkerOptions kCanary{.max_reqs = 1, .canary = true};
};

TEST_F(Canaries, TakeTheirRequestsAndNoOthers) {
  start();
  FakeWorker& worker = add_worker();
  FakeWorker& canary = add_worker(kCanary);
  const auto marked = ask_canary();
  const auto request = canary.next_request();
  ASSERT_TRUE(request);
  for (int i = 0; i < 20; ++i) {
    const auto client = connect();
    client->get(1, "/");
    const auto other = worker.next_request();
    ASSERT_TRUE(other);
    other->respond("worker");
    ASSERT_TRUE(client->wait(1));
  }
  request->respond("canary");
  ASSERT_TRUE(marked->wait(1));
  EXPECT_EQ(marked->answer(1).body(), "canary");
  EXPECT_FALSE(canary.has_request());
}

TEST_F(Canaries, WithoutAFreeOneTheOthersServe) {
  start();
  FakeWorker& worker = add_worker();
  const auto before = ask_canary();
  const auto first = worker.next_request();
  ASSERT_TRUE(first) << "there is no canary yet";
  FakeWorker& canary = add_worker(kCanary);
  const auto marked = ask_canary();
  const auto request = canary.next_request();
  ASSERT_TRUE(request);
  const auto beyond = ask_canary();
  const auto second = worker.next_request();
  ASSERT_TRUE(second) << "the canary has no slot left";
  for (const auto& one : {first, request, second}) one->respond("ok");
  for (const auto& client : {&before, &marked, &beyond}) ASSERT_TRUE((*client)->wait(1));
}

TEST_F(Canaries, LostRequestGoesToAWorker) {
  start();
  FakeWorker& worker = add_worker();
  FakeWorker& canary = add_worker(kCanary);
  const auto marked = ask_canary();
  ASSERT_TRUE(canary.next_request());
  kill_worker(canary);
  const auto again = worker.next_request();
  ASSERT_TRUE(again);
  again->respond("worker");
  ASSERT_TRUE(marked->wait(1));
  EXPECT_EQ(marked->answer(1).body(), "worker");
}

TEST_F(Canaries, DoNotServeForAnAppThatFails) {
  start();
  const FakeWorker& canary = add_worker(kCanary);
  say_state(channel::AppState::failing, 7);
  const auto client = connect();
  client->get(1, "/");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 503);
  EXPECT_FALSE(canary.has_request());
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
