// More requests than the workers can take: who waits, who goes first, who is refused.

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using config::Priority;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

class Overload : public BridgeTest {
 protected:
  // A request of its own connection; returns once it waits.
  FrontClient& queue(std::string_view path) {
    const std::int64_t before = score().queued;
    FrontClient& client = send(path);
    until([&] { return score().queued == before + 1; }, "the request in the queue");
    return client;
  }
  FrontClient& send(std::string_view path) {
    clients_.push_back(connect());
    clients_.back()->get(1, path);
    paths_.emplace_back(path);
    return *clients_.back();
  }
  // Routes of the FastCGI listener; "/" stands behind them.
  void route(std::vector<config::RouteSettings> routes) {
    routes.push_back({.path = "/", .app = "shop"});
    settings.listeners[0].routes = std::move(routes);
  }
  static std::string path_of(const std::shared_ptr<WorkerRequest>& request) {
    return request ? request->param("REQUEST_URI") : "no request";
  }
  // Answers the request at the worker and returns the one that takes its place.
  static std::shared_ptr<WorkerRequest> next(FakeWorker& worker,
                                             const std::shared_ptr<WorkerRequest>& current) {
    current->respond("ok");
    return worker.next_request();
  }
  void expect_refused(FrontClient& client) {
    ASSERT_TRUE(client.wait(1));
    EXPECT_EQ(client.answer(1).status(), 503);
    EXPECT_EQ(client.answer(1).field("Retry-After"), "1");
  }

  void start_with_queue(milliseconds timeout) {
    shop(settings).timeouts.queue = timeout;
    start();
  }
  // Serves one and queues another every now and then, so that the queue stays as long as it is,
  // until one is shed. Returns the request at the worker, which takes one at a time.
  std::shared_ptr<WorkerRequest> overload(FakeWorker& worker) {
    send("/first");
    auto current = worker.next_request();
    for (int i = 0; i < 10; ++i) queue("/early/" + std::to_string(i));
    const auto pause = shop(settings).timeouts.queue / 60;
    auto last = Clock::now();
    until(
        [&] {
          if (Clock::now() - last >= pause) {
            last = Clock::now();
            queue("/early/" + std::to_string(clients_.size()));
            current = next(worker, current);
          }
          return bridge().log_count("overload") > 0;
        },
        "the overload");
    return current;
  }
  std::size_t refused() const {
    return static_cast<std::size_t>(
        std::count_if(clients_.begin(), clients_.end(), [](const auto& client) {
          return client->answer(1).status() == 503 && client->answer(1).field("Retry-After") == "1";
        }));
  }
  // Paths of the requests without an answer, in order.
  std::vector<std::string> waiting() const {
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (!clients_[i]->answer(1).ended) paths.push_back(paths_[i]);
    }
    return paths;
  }

  std::vector<std::unique_ptr<FrontClient>> clients_;
  std::vector<std::string> paths_;  // of their requests
};

TEST_F(Overload, ServesTheLatestAndShedsTheEarliest) {
  start_with_queue(milliseconds(3000));  // target 300 ms, interval 600 ms
  FakeWorker& worker = add_worker({.max_reqs = 1});
  auto current = overload(worker);
  until([&] { return refused() > 0; }, "an early one refused");
  queue("/latest");
  current = next(worker, current);
  EXPECT_EQ(path_of(current), "/latest");
}

TEST_F(Overload, IsOverOnceNoWorkerIsReady) {
  start_with_queue(milliseconds(10'000));  // interval 2 s
  FakeWorker& worker = add_worker({.max_reqs = 1});
  const std::string lost = path_of(overload(worker));
  kill_worker(worker);
  say_state(channel::AppState::starting);
  send("/latest");
  until([&] { return static_cast<std::int64_t>(waiting().size()) == score().queued; },
        "the refusals, and all others in the queue");
  const std::size_t refused_before = refused();
  FakeWorker& successor = add_worker({.max_reqs = 1});
  const auto again = successor.next_request();
  EXPECT_EQ(path_of(again), lost);
  const std::string earliest = waiting()[waiting().front() == lost ? 1 : 0];
  EXPECT_EQ(path_of(next(successor, again)), earliest);
  EXPECT_EQ(refused(), refused_before);
}

TEST_F(Overload, HigherPriorityGoesFirst) {
  route({{.path = "/buy", .app = "shop", .priority = Priority::high},
         {.path = "/report", .app = "shop", .priority = Priority::low}});
  start();
  FakeWorker& worker = add_worker({.max_reqs = 1});
  send("/first");
  auto current = worker.next_request();
  for (const char* const path : {"/report/1", "/2", "/buy/3", "/report/4", "/5", "/buy/6"}) {
    queue(path);
  }
  for (const char* const path : {"/buy/3", "/buy/6", "/2", "/5", "/report/1", "/report/4"}) {
    current = next(worker, current);
    EXPECT_EQ(path_of(current), path);
  }
}

TEST_F(Overload, FullQueueRefusesTheLowestPriority) {
  shop(settings).limits.queue = 2;
  route({{.path = "/buy", .app = "shop", .priority = Priority::high},
         {.path = "/report", .app = "shop", .priority = Priority::low}});
  start();
  FrontClient& report = queue("/report");
  queue("/");
  send("/buy");
  expect_refused(report);
  expect_refused(send("/report"));
  expect_refused(send("/"));
  FakeWorker& worker = add_worker({.max_reqs = 1});
  auto current = worker.next_request();
  EXPECT_EQ(path_of(current), "/buy");
  current = next(worker, current);
  EXPECT_EQ(path_of(current), "/");
}

TEST_F(Overload, StarvationEndsWithTheQueuesTimeout) {
  shop(settings).timeouts.queue = milliseconds(300);
  route({{.path = "/report", .app = "shop", .priority = Priority::low}});
  start();
  FakeWorker& worker = add_worker({.max_reqs = 1});
  send("/first");
  ASSERT_TRUE(worker.next_request());
  FrontClient& starved = queue("/report");
  expect_refused(starved);
}

class RouteLimit : public Overload, public ::testing::WithParamInterface<WorkerOptions> {};

INSTANTIATE_TEST_SUITE_P(Workers, RouteLimit,
                         ::testing::Values(WorkerOptions{.max_reqs = 4}, plain(4)),
                         [](const auto& test) { return test.param.multiplex ? "Sdk" : "Plain"; });

TEST_P(RouteLimit, HoldsWithoutBlockingOthers) {
  route({{.path = "/export", .app = "shop", .limit = 2}});
  start();
  FakeWorker& worker = add_worker(GetParam());
  send("/export/1");
  const auto first = worker.next_request();
  send("/export/2");
  const auto second = worker.next_request();
  ASSERT_TRUE(first && second);
  queue("/export/3");
  queue("/export/4");
  send("/other");
  const auto other = worker.next_request();
  EXPECT_EQ(path_of(other), "/other");
  other->respond("ok");
  until([&] { return score().active == 2; }, "the other one answered");
  EXPECT_FALSE(worker.has_request());
  const auto third = next(worker, first);
  EXPECT_EQ(path_of(third), "/export/3");
  EXPECT_EQ(path_of(next(worker, second)), "/export/4");
  EXPECT_FALSE(worker.has_request());
}

TEST_P(RouteLimit, PlaceOfALostOrAbortedRequestIsFreeAgain) {
  route({{.path = "/export", .app = "shop", .limit = 1}});
  start();
  FakeWorker& dying = add_worker(GetParam());
  clients_.push_back(connect());
  clients_.back()->post(1, "/export/lost", "x");
  ASSERT_TRUE(dying.next_request());
  queue("/export/2");
  kill_worker(dying);
  FakeWorker& worker = add_worker(GetParam());
  const auto second = worker.next_request();
  EXPECT_EQ(path_of(second), "/export/2");
  queue("/export/3");
  clients_[1]->close();
  if (second->link != nullptr && GetParam().multiplex) {
    until([&] { return second->aborted; }, "the abort");
    second->end();
  }
  EXPECT_EQ(path_of(worker.next_request()), "/export/3");
}

TEST_F(Overload, RouteLimitHoldsForAllThreadsTogether) {
  settings.threads = 2;
  route({{.path = "/export", .app = "shop", .limit = 2}});
  start();
  FakeWorker& worker = add_worker({.max_reqs = 64});
  constexpr std::size_t kCount = 40;
  for (std::size_t i = 0; i < kCount; ++i) send("/export");
  std::size_t answered = 0;
  while (answered < kCount) {
    until([&] { return worker.requests.size() > answered; }, "the next request");
    ASSERT_LE(worker.requests.size() - answered, 2u);
    worker.requests[answered++]->respond("ok");
  }
  for (const auto& client : clients_) ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(score().queued, 0);
}

class LeavingClient : public Overload {};

// The bridge finds the end of the front connection and the free slot at the same moment.
TEST_F(LeavingClient, IsDroppedBeforeTheSlotThatBecomesFreeIsFilled) {
  start();
  FakeWorker& worker = add_worker({.max_reqs = 1});
  send("/first");
  const auto first = worker.next_request();
  ASSERT_TRUE(first);
  FrontClient& gone = queue("/gone");
  queue("/stays");
  bridge().freeze();
  first->respond("ok");
  gone.close();
  bridge().thaw();
  EXPECT_EQ(path_of(worker.next_request()), "/stays");
  EXPECT_EQ(score().aborted, 1u);
  EXPECT_EQ(worker.requests.size(), 2u);
}

// Its body is not read any further while it waits, yet its end is noticed.
TEST_F(LeavingClient, IsNoticedBehindABodyThatIsNotRead) {
  shop(settings).buffer_requests = config::Buffering::never;
  start();
  FrontClient& gone = *clients_.emplace_back(connect());
  constexpr std::size_t kBody = 8 * 1024 * 1024;
  gone.begin(1, variables("POST", "/gone", {{"CONTENT_LENGTH", std::to_string(kBody)}}));
  gone.body(1, std::string(kBody, 'b'));
  until([&] { return score().queued == 1; }, "the request in the queue");
  std::size_t unsent = 0;
  until([&] { return std::exchange(unsent, gone.unsent()) == gone.unsent(); },
        "no more being read");
  EXPECT_GT(gone.unsent(), 0u);
  gone.close();
  until([&] { return score().queued == 0 && score().aborted == 1; }, "it dropped");
  FakeWorker& worker = add_worker();
  send("/stays");
  EXPECT_EQ(path_of(worker.next_request()), "/stays");
}

// Some front servers keep the connection open when their client leaves while the application is
// silent, and say nothing. Such a request cannot be told from others, but it leaves the queue in
// time.
TEST_F(LeavingClient, OfASilentFrontIsRefusedInTime) {
  shop(settings).timeouts.queue = milliseconds(300);
  start();
  FrontClient& silent = queue("/gone");
  expect_refused(silent);
  FakeWorker& worker = add_worker();
  send("/stays");
  EXPECT_EQ(path_of(worker.next_request()), "/stays");
}

// The front says so by record: at once.
TEST_F(LeavingClient, OfAFrontThatSaysSoIsDroppedAtOnce) {
  start();
  FrontClient& front = queue("/gone");
  front.abort(1);
  until([&] { return score().queued == 0; }, "it dropped");
  FakeWorker& worker = add_worker();
  send("/stays");
  EXPECT_EQ(path_of(worker.next_request()), "/stays");
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
