// Requests that make workers crash.

#include <csignal>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Poison : public BridgeTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  Poison() { settings.threads = GetParam(); }

  // The next worker is ready; it crashes with the next request that it gets.
  void crash_with_next(int status = SIGSEGV) {
    FakeWorker& worker = add_worker();
    until([&] { return worker.has_request(); }, "a request at the worker");
    kill_worker(worker, status);
  }
  FrontClient& send(std::string_view method, std::string_view path) {
    clients_.push_back(connect());
    clients_.back()->request(1, variables(method, path), "");
    return *clients_.back();
  }
  void expect_status(FrontClient& client, int status) {
    ASSERT_TRUE(client.wait(1));
    EXPECT_EQ(client.answer(1).status(), status);
  }
  // Asks until the answer is that of a closed route: the bridge's threads hear of it one by one.
  void expect_closed(std::string_view path) {
    for (;;) {
      FrontClient& client = send("POST", path);
      until([&] { return client.answer(1).ended || score().queued > 0; },
            "an answer, or it queued");
      if (client.answer(1).status() == 503) {
        EXPECT_NE(client.answer(1).field("Retry-After"), "");
        return;
      }
      client.close();
      until([&] { return score().queued == 0; }, "it dropped");
    }
  }

  std::vector<std::unique_ptr<FrontClient>> clients_;
};

INSTANTIATE_TEST_SUITE_P(Threads, Poison, ::testing::Values(1, 2),
                         [](const auto& test) { return std::to_string(test.param); });

TEST_P(Poison, RouteIsClosedAndOthersGoOn) {
  start();
  for (int i = 0; i < 3; ++i) {
    FrontClient& client = send("POST", "/crash/" + std::to_string(i));
    crash_with_next(i == 1 ? 3 << 8 : SIGSEGV);
    expect_status(client, 502);
  }
  ASSERT_TRUE(bridge().wait_for_log("route closed: workers crash with its requests"));
  EXPECT_EQ(bridge().log_count("route=\"POST /crash/*\""), 1u) << bridge().log();
  expect_closed("/crash/17");
  FrontClient& other = send("POST", "/other");
  FakeWorker& worker = add_worker();
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("REQUEST_URI"), "/other");
  request->respond("ok");
  expect_status(other, 200);
  EXPECT_EQ(worker.requests.size(), 1u);
}

TEST_P(Poison, OpensAgainAndSaysSo) {
  shop(settings).poison.deaths = 1;
  shop(settings).poison.closed = milliseconds(500);
  start();
  FrontClient& crash = send("POST", "/crash");
  crash_with_next(SIGABRT);
  expect_status(crash, 502);
  ASSERT_TRUE(bridge().wait_for_log("route closed"));
  ASSERT_TRUE(bridge().wait_for_log("route open again"));
  FrontClient& client = send("POST", "/crash");
  FakeWorker& worker = add_worker();
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->respond("mended");
  expect_status(client, 200);
  EXPECT_EQ(bridge().log_count("route closed"), 1u);
  EXPECT_EQ(bridge().log_count("route open again"), 1u);
}

TEST_P(Poison, QueuedRequestsOfTheRouteAreRefused) {
  shop(settings).poison.deaths = 1;
  start();
  send("POST", "/crash");
  until([&] { return score().queued == 1; }, "the first queued");
  FakeWorker& worker = add_worker({.max_reqs = 1});
  ASSERT_TRUE(worker.next_request());
  FrontClient& waits = send("POST", "/crash");
  send("POST", "/other");
  until([&] { return score().queued == 2; }, "two waiting");
  kill_worker(worker, SIGSEGV);
  expect_status(waits, 503);
  FakeWorker& next = add_worker();
  const auto request = next.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("REQUEST_URI"), "/other");
}

TEST_P(Poison, BystanderThatAnotherWorkerAnswersIsCleared) {
  start();
  for (int i = 0; i < 6; ++i) {
    FrontClient& bystander = send("GET", "/home");
    FakeWorker& dying = add_worker();
    ASSERT_TRUE(dying.next_request());
    kill_worker(dying, SIGSEGV);
    FakeWorker& worker = add_worker();
    const auto again = worker.next_request();
    ASSERT_TRUE(again);
    again->respond("ok");
    expect_status(bystander, 200);
    kill_worker(worker, SIGTERM);
  }
  EXPECT_EQ(bridge().log_count("route closed"), 0u);
}

TEST_P(Poison, WorkersThatOthersKillOrThatStopAreNoCrash) {
  shop(settings).poison.deaths = 1;
  start();
  for (const int status : {SIGKILL, SIGTERM, 0}) {
    FrontClient& client = send("POST", "/");
    crash_with_next(status);
    expect_status(client, 502);
  }
  FakeWorker& draining = add_worker();
  FrontClient& client = send("POST", "/");
  ASSERT_TRUE(draining.next_request());
  channel::Message drain;
  drain.type = channel::Type::worker_draining;
  drain.serial = draining.serial;
  bridge().send(drain);
  kill_worker(draining, SIGABRT);
  expect_status(client, 502);
  EXPECT_EQ(bridge().log_count("route closed"), 0u);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
