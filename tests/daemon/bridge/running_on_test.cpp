// Workers that have ended a request and go on with it: they read the next one late.

#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using channel::Type;
using std::chrono::hours;
using std::chrono::milliseconds;

class RunningOn : public BridgeTest {
 protected:
  RunningOn() { shop(settings).server.unread = kScheduled; }

  // The worker that answers a request now.
  FakeWorker* serve(const std::vector<FakeWorker*>& workers) {
    const auto client = connect();
    client->get(1, "/");
    FakeWorker* const worker = whoever_has_one(workers);
    if (worker == nullptr) return nullptr;
    worker->next_request()->respond("ok");
    EXPECT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 200);
    return worker;
  }
  FakeWorker* whoever_has_one(const std::vector<FakeWorker*>& workers) {
    FakeWorker* found = nullptr;
    until(
        [&] {
          for (FakeWorker* const worker : workers) {
            if (worker->has_request()) found = worker;
          }
          return found != nullptr;
        },
        "a request at one of the workers");
    return found;
  }
  // It neither accepts nor reads, as a program that is at work.
  static void occupy(FakeWorker& worker, bool busy) {
    worker.accept(!busy);
    for (WorkerLink* const link : worker.links()) link->read(!busy);
  }
};

TEST_F(RunningOn, TheWorkerThatHasRestedLongestIsUsed) {
  start();
  const std::vector<FakeWorker*> workers = {&add_worker(plain()), &add_worker(plain()),
                                            &add_worker(plain())};
  std::vector<FakeWorker*> order;
  for (int i = 0; i < 9; ++i) order.push_back(serve(workers));
  for (std::size_t i = 3; i < order.size(); ++i) EXPECT_EQ(order[i], order[i - 3]) << i;
  EXPECT_NE(order[0], order[1]);
  EXPECT_NE(order[1], order[2]);
}

TEST_F(RunningOn, ARequestThatIsNotReadGoesToAnotherWorker) {
  start();
  FakeWorker& one = add_worker(plain());
  FakeWorker& other = add_worker(plain());
  ASSERT_NE(serve({&one, &other}), serve({&one, &other}));
  // One has rested longest, and is busy.
  occupy(one, true);
  EXPECT_EQ(serve({&other}), &other);
  EXPECT_EQ(score().retried.load(), 1u);
  EXPECT_FALSE(one.has_request());
  // It is asked whether it is done, and until then gets no more.
  for (int i = 0; i < 3; ++i) EXPECT_EQ(serve({&other}), &other) << i;
  EXPECT_EQ(score().retried.load(), 1u);
  EXPECT_EQ(bridge().log_count("link to worker lost"), 0u);
  occupy(one, false);
  // It may still run the request that it was given, in vain.
  one.next_request()->respond("nobody hears it");
  until([&] { return one.all_links.size() > 1; }, "the question");
  until(
      [&] {
        const auto next = connect();
        next->get(1, "/");
        FakeWorker* const worker = whoever_has_one({&one, &other});
        worker->next_request()->respond("ok");
        return next->wait(1) && worker == &one;
      },
      "a request at the one that was busy");
  EXPECT_EQ(bridge().count(Type::kill), 0u);
}

// Each of them is asked, and has no slot until it answers: so this ends. The second is waited for
// twice as long.
TEST_F(RunningOn, ARequestIsMovedUntilSomebodyReadsIt) {
  start();
  FakeWorker& one = add_worker(plain());
  FakeWorker& two = add_worker(plain());
  FakeWorker& idle = add_worker(plain());
  for (int i = 0; i < 3; ++i) ASSERT_NE(serve({&one, &two, &idle}), nullptr);
  occupy(one, true);
  occupy(two, true);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(serve({&idle}), &idle);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 3 * kScheduled);
  EXPECT_EQ(score().retried.load(), 2u);
  EXPECT_EQ(serve({&idle}), &idle);
  EXPECT_EQ(score().retried.load(), 2u);
}

TEST_F(RunningOn, ConnectionsThatNobodyAcceptedCountToo) {
  start();
  FakeWorker& one = add_worker(plain());
  FakeWorker& other = add_worker(plain());
  ASSERT_NE(serve({&one, &other}), serve({&one, &other}));
  for (WorkerLink* const link : one.links()) link->close();
  until([&] { return one.links().empty(); }, "the end of the connection");
  occupy(one, true);
  EXPECT_EQ(serve({&other}), &other);
  EXPECT_EQ(serve({&other}), &other);
  EXPECT_FALSE(one.has_request());
}

// While the others are at work it stays where it is: it is the next there.
TEST_F(RunningOn, ARequestWaitsForItsWorkerUnlessAnotherIsIdle) {
  start();
  FakeWorker& one = add_worker(plain());
  FakeWorker& other = add_worker(plain());
  ASSERT_EQ(serve({&one, &other}), &one);
  const auto first = connect();
  first->get(1, "/first");
  const auto held = other.next_request();
  ASSERT_TRUE(held);
  occupy(one, true);
  const auto second = connect();
  second->get(1, "/second");
  until([&] { return score().active == 2; }, "both at workers");
  const auto third = connect();
  third->get(1, "/third");
  until([&] { return score().queued == 1; }, "one that waits");
  held->respond("ok");
  const auto next = other.next_request();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->param("REQUEST_URI"), "/third");
  EXPECT_EQ(score().retried.load(), 0u);
  next->respond("ok");
  const auto moved = other.next_request();
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->param("REQUEST_URI"), "/second");
  EXPECT_EQ(score().retried.load(), 1u);
  moved->respond("ok");
  for (FrontClient* const client : {first.get(), second.get(), third.get()}) {
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 200);
  }
}

struct Staying {
  const char* name;
  const char* method;
  const char* body;
  bool read;  // the worker has the variables
};

class RunningOnStays : public RunningOn, public ::testing::WithParamInterface<Staying> {};

INSTANTIATE_TEST_SUITE_P(Requests, RunningOnStays,
                         ::testing::Values(Staying{"Read", "GET", "", true},
                                           Staying{"NotRepeatable", "POST", "", false},
                                           Staying{"WithBody", "PUT", "body", false}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(RunningOnStays, IsNotMoved) {
  start();
  FakeWorker& one = add_worker(plain());
  FakeWorker& another = add_worker(plain());
  FakeWorker& idle = add_worker(plain());
  for (int i = 0; i < 3; ++i) ASSERT_NE(serve({&one, &another, &idle}), nullptr);
  if (!GetParam().read) occupy(one, true);
  const auto client = connect();
  client->request(1,
                  variables(GetParam().method, "/stays",
                            {{"CONTENT_LENGTH", std::to_string(std::strlen(GetParam().body))}}),
                  GetParam().body);
  until([&] { return score().active == 1; }, "the request at a worker");
  if (GetParam().read) until([&] { return one.has_request(); }, "the request in its hands");
  // One that began later is moved: the bridge has looked at both.
  occupy(another, true);
  EXPECT_EQ(serve({&idle}), &idle);
  EXPECT_EQ(score().retried.load(), 1u);
  if (!GetParam().read) occupy(one, false);
  const auto request = one.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("REQUEST_URI"), "/stays");
  until([&] { return request->body_ended; }, "its body");
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
}

TEST_F(RunningOn, AWorkerThatDoesNotComeBackIsReplaced) {
  shop(settings).timeouts.request = 2 * kScheduled;
  shop(settings).timeouts.abort = milliseconds(100);
  start();
  FakeWorker& one = add_worker(plain());
  FakeWorker& other = add_worker(plain());
  ASSERT_NE(serve({&one, &other}), serve({&one, &other}));
  occupy(one, true);
  EXPECT_EQ(serve({&other}), &other);
  ASSERT_TRUE(bridge().wait_for(Type::kill));
  EXPECT_EQ(bridge().last(Type::kill)->serial, one.serial);
}

// The worker was busy before the request, which had queued, came: its deadline says nothing of it.
TEST_F(RunningOn, AWorkerIsNotReplacedForARequestThatHadQueued) {
  shop(settings).timeouts.request = 4 * kScheduled;
  shop(settings).timeouts.queue = hours(1);
  shop(settings).timeouts.abort = hours(1);
  start();
  FakeWorker& one = add_worker(plain());
  FakeWorker& other = add_worker(plain());
  std::vector<std::unique_ptr<FrontClient>> clients;
  const auto get = [&](const char* path) {
    clients.push_back(connect());
    clients.back()->get(1, path);
  };
  get("/one");
  const auto at_one = one.next_request();
  ASSERT_TRUE(at_one);
  get("/other");
  const auto at_other = other.next_request();
  ASSERT_TRUE(at_other);
  get("/queued");
  until([&] { return score().queued == 1; }, "one that waits");
  occupy(one, true);
  at_one->respond("ok");
  until([&] { return score().queued == 0; }, "the request at the one that runs on");
  at_other->respond("ok");
  const auto moved = other.next_request();
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->param("REQUEST_URI"), "/queued");
  moved->respond("ok");
  EXPECT_EQ(score().retried.load(), 1u);
  // It comes later, and so does its deadline.
  get("/later");
  ASSERT_TRUE(other.next_request());
  ASSERT_TRUE(clients.back()->wait(1));
  EXPECT_EQ(clients.back()->answer(1).status(), 504);
  EXPECT_EQ(bridge().count(Type::kill), 0u);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
