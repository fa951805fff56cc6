// A bridge with two event loops.

#include <fcntl.h>

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using channel::Type;

struct WorkerKind {
  const char* name;
  WorkerOptions options;
};

class Threads : public BridgeTest {
 protected:
  Threads() { settings.threads = 2; }

  // A loop whose link has not been answered yet would queue all that it accepts.
  void serve_on_both(FakeWorker& worker) {
    std::set<const WorkerLink*> used;
    for (int i = 0; i < 1000 && used.size() < 2; ++i) {
      const auto client = connect();
      client->get(1, "/");
      const auto request = worker.next_request();
      ASSERT_TRUE(request);
      used.insert(request->link);
      request->respond("ok");
      ASSERT_TRUE(client->wait(1));
    }
    ASSERT_EQ(used.size(), 2U) << "both loops serve";
  }
};

class AnyWorkerThreads : public Threads, public ::testing::WithParamInterface<WorkerKind> {};

INSTANTIATE_TEST_SUITE_P(Workers, AnyWorkerThreads,
                         ::testing::Values(WorkerKind{"Sdk", {}}, WorkerKind{"Plain", plain(4)}),
                         [](const auto& test) { return test.param.name; });

TEST_P(AnyWorkerThreads, EveryRequestIsServedWhicheverLoopAcceptedIt) {
  shop(settings).timeouts.queue = {};
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  std::vector<std::unique_ptr<FrontClient>> clients;
  std::size_t answered = 0;
  const auto answer_all = [&] {
    for (; answered < worker.requests.size(); ++answered) {
      worker.requests[answered]->respond("ok");
    }
  };
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 20; ++i) {
      clients.push_back(connect());
      clients.back()->get(1, "/", true);
    }
    for (int again = 0; again < 4; ++again) {
      until(
          [&] {
            answer_all();
            return std::all_of(clients.begin(), clients.end(),
                               [](const auto& client) { return client->answer(1).ended; });
          },
          "all answers");
      for (const auto& client : clients) {
        EXPECT_EQ(client->answer(1).status(), 200);
        client->get(1, "/", true);
      }
    }
  }
  const std::size_t sent = 20 * 5 + (20 + 40 + 60 + 80 + 100) * 4;
  until(
      [&] {
        answer_all();
        return answered == sent;
      },
      "every request");
  if (GetParam().options.multiplex) {
    until([&] { return worker.links().size() == 2; }, "a link for each loop");
  }
  EXPECT_EQ(bridge().count(Type::ready), 1u);
}

TEST_F(Threads, SlotsAndQueueAreShared) {
  shop(settings).limits.queue = 4;
  start();
  FakeWorker& worker = add_worker({.max_reqs = 2});
  serve_on_both(worker);
  const std::size_t before = worker.requests.size();
  std::vector<std::unique_ptr<FrontClient>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(connect());
    clients.back()->get(1, "/");
  }
  const auto refused = [&] {
    return std::count_if(clients.begin(), clients.end(), [](const auto& client) {
      return client->answer(1).ended && client->answer(1).status() == 503;
    });
  };
  until(
      [&] { return refused() == 6 && worker.requests.size() == before + 2 && score().queued == 4; },
      "two at the worker, four waiting, six refused");
  std::size_t answered = before;
  until(
      [&] {
        for (; answered < worker.requests.size(); ++answered) {
          worker.requests[answered]->respond("ok");
        }
        return answered == before + 6;
      },
      "those that waited, woken on whichever loop");
  for (const auto& client : clients) ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(score().queued, 0);
  EXPECT_EQ(score().active, 0);
}

TEST_F(Threads, DeathOfAWorkerIsKnownToBoth) {
  start();
  FakeWorker& first = add_worker();
  std::vector<std::unique_ptr<FrontClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(connect());
    clients.back()->get(1, "/");
  }
  until([&] { return first.requests.size() == 20; }, "the requests");
  FakeWorker& second = add_worker();
  kill_worker(first);
  until([&] { return second.requests.size() == 20; }, "all of them repeated");
  for (const auto& request : second.requests) request->respond("ok");
  for (const auto& client : clients) {
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 200);
  }
}

TEST_F(Threads, LossOfALinkStopsTheOtherLoopUntilTheWorkerIsKnownToLive) {
  start();
  FakeWorker& worker = add_worker({.max_reqs = 1});
  serve_on_both(worker);
  const auto first = connect();
  first->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  std::vector<std::unique_ptr<FrontClient>> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(connect());
    clients.back()->request(1, variables("POST", "/"), "");
  }
  until([&] { return score().queued == 30; }, "the others queued, on both loops");
  const std::size_t before = worker.requests.size();
  request->link->close();
  until([&] { return worker.requests.size() > before; }, "the next request");
  EXPECT_EQ(worker.all_links.size(), 3u) << "the link was made again first";
  std::size_t answered = before;
  until(
      [&] {
        for (; answered < worker.requests.size(); ++answered) {
          worker.requests[answered]->respond("ok");
        }
        return std::all_of(clients.begin(), clients.end(),
                           [](const auto& client) { return client->answer(1).ended; });
      },
      "all answers");
  for (const auto& client : clients) EXPECT_EQ(client->answer(1).status(), 200);
}

TEST_F(Threads, ClientsThatLeaveAreAbortedOnBoth) {
  start();
  FakeWorker& worker = add_worker();
  std::vector<std::unique_ptr<FrontClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(connect());
    clients.back()->get(1, "/");
  }
  until([&] { return worker.requests.size() == 20; }, "the requests");
  clients.clear();
  until(
      [&] {
        return std::all_of(worker.requests.begin(), worker.requests.end(),
                           [](const auto& request) { return request->aborted; });
      },
      "an abort for each");
  for (const auto& request : worker.requests) request->end();
  until([&] { return score().active == 0; }, "all slots free");
}

TEST_F(Threads, Drain) {
  start();
  FakeWorker& worker = add_worker();
  std::vector<std::unique_ptr<FrontClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(connect());
    clients.back()->get(1, "/", true);
  }
  until([&] { return worker.requests.size() == 20; }, "the requests");
  say(Type::drain);
  for (const auto& request : worker.requests) request->respond("last");
  for (const auto& client : clients) {
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).body(), "last");
    ASSERT_TRUE(client->wait_closed());
  }
  ASSERT_TRUE(bridge().wait_for(Type::drained));
  expect_clean_exit(bridge());
}

TEST_F(Threads, EachHasAnAccessLogOfItsOwn) {
  start();
  std::array<std::array<int, 2>, 2> pipes{};
  for (std::uint32_t i = 0; i < 2; ++i) {
    ASSERT_EQ(::pipe2(pipes[i].data(), O_CLOEXEC | O_NONBLOCK), 0);
    channel::Message target;
    target.type = Type::log_target;
    target.target = channel::LogTarget::access;
    target.app = i;
    bridge().send(target, pipes[i][1]);
  }
  FakeWorker& worker = add_worker();
  serve_on_both(worker);
  for (const auto& pipe : pipes) {
    std::array<char, 4096> lines;
    until([&] { return ::read(pipe[0], lines.data(), lines.size()) > 0; }, "a line of each thread");
    ::close(pipe[0]);
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
