#include <algorithm>
#include <atomic>
#include <mutex>
#include <stop_token>
#include <string>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

using WaitingTest = ModelTest;
INSTANTIATE_TEST_SUITE_P(Models, WaitingTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

void compute_until(const std::atomic<bool>& done) {
  while (!done) continue;
}

TEST_P(WaitingTest, QuestionsAreAnsweredWhileAllHandlersCompute) {
  std::atomic<bool> done{false};
  std::atomic<int> running{0};
  app.get("/", [&](Request&, Response& res) {
    ++running;
    compute_until(done);
    res.send("done");
  });
  const std::uint32_t limit = fibers() ? 100 : 2;
  const auto serving = serve(limit);
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  for (protocol::RequestId id = 1; id <= 4; ++id) {
    peer.begin(id, "GET", "/");
    peer.input_end(id);
  }
  ASSERT_TRUE(peer.wait([&] { return running >= (fibers() ? 1 : 2); }, milliseconds(0)) || [&] {
    while (running < (fibers() ? 1 : 2)) std::this_thread::yield();
    return true;
  }());
  for (std::uint32_t i = 0; i < 3; ++i) {
    const std::uint32_t before = peer.values_received();
    peer.ask_values();
    EXPECT_TRUE(peer.wait([&] { return peer.values_received() > before; }, milliseconds(2000)));
  }
  done = true;
  EXPECT_TRUE(peer.wait([&] { return peer.ended().size() == 4; }));
}

TEST_P(WaitingTest, AbortReachesStopWhileAllHandlersCompute) {
  std::atomic<bool> stopped{false};
  Flag started;
  app.get("/", [&](Request& req, Response&) {
    const std::stop_callback callback(req.stop(), [&] { stopped = true; });
    started.set();
    compute_until(stopped);
  });
  const auto serving = serve(1);
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  peer.begin(1, "GET", "/");
  peer.input_end(1);
  peer.flush();
  ASSERT_TRUE(started.wait());
  peer.abort(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_TRUE(stopped);
  EXPECT_EQ(peer.reply(1).output, "");
}

TEST_P(WaitingTest, SlowHandlerDoesNotHoldUpItsBatch) {
  Flag release;
  app.get("/slow", [&](Request&, Response& res) {
    blocking([&] { EXPECT_TRUE(release.wait()); });
    res.send("slow");
  });
  app.get("/quick", [](Request&, Response& res) { res.send("quick"); });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  peer.begin(1, "GET", "/slow");
  peer.input_end(1);
  for (protocol::RequestId id = 2; id <= 50; ++id) {
    peer.begin(id, "GET", "/quick");
    peer.input_end(id);
  }
  EXPECT_TRUE(peer.wait([&] { return peer.ended().size() == 49; }));
  EXPECT_FALSE(peer.reply(1).ended);
  release.set();
  EXPECT_TRUE(peer.wait_end(1));
}

TEST_P(WaitingTest, AbortWakesReaderAndWriter) {
  std::atomic<int> gone{0};
  app.post("/read", [&](Request& req, Response&) {
    char byte = 0;
    try {
      while (req.body().read(std::span<char>(&byte, 1)) > 0) continue;
    } catch (const client_gone&) {
      ++gone;
      EXPECT_TRUE(req.stop().stop_requested());
      throw;
    }
  });
  app.get("/write", [&](Request&, Response& res) {
    const std::string chunk(64 * 1024, 'x');
    try {
      while (true) res.write(chunk);
    } catch (const client_gone&) {
      ++gone;
      throw;
    }
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  peer.auto_credit = false;
  peer.begin(1, "POST", "/read");
  peer.begin(2, "GET", "/write");
  peer.input_end(2);
  ASSERT_TRUE(peer.wait([&] { return peer.reply(2).output.size() == 256 * 1024; }));
  peer.abort(1);
  peer.abort(2);
  ASSERT_TRUE(peer.wait_end(1));
  ASSERT_TRUE(peer.wait_end(2));
  EXPECT_EQ(gone, 2);
  EXPECT_TRUE(lines().empty());
}

TEST_P(WaitingTest, EndOfTheLinkAbortsItsRequests) {
  Flag started;
  Flag gone;
  app.post("/", [&](Request& req, Response&) {
    const std::stop_callback callback(req.stop(), [&] { gone.set(); });
    started.set();
    (void)req.body().text();
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.begin(1, "POST", "/");
  peer.flush();
  ASSERT_TRUE(started.wait());
  peer.close();
  EXPECT_TRUE(gone.wait());
}

TEST_P(WaitingTest, LimitHoldsAndTheExcessIsServedInOrder) {
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  std::mutex mutex;
  std::vector<int> order;
  app.get("/{n:int}", [&](Request& req, Response& res) {
    const int running = ++now;
    most = std::max<int>(most, running);
    {
      const std::lock_guard lock(mutex);
      order.push_back(req.arg<int>("n"));
    }
    sleep_for(milliseconds(5));
    --now;
    res.send("ok");
  });
  const auto serving = serve(3);
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  constexpr protocol::RequestId kCount = 30;
  for (protocol::RequestId id = 1; id <= kCount; ++id) {
    peer.begin(id, "GET", "/" + std::to_string(id));
    peer.input_end(id);
  }
  ASSERT_TRUE(peer.wait([&] { return peer.ended().size() == kCount; }));
  EXPECT_EQ(most, 3);
  // With threads, three of them enter the handler in any order.
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_NEAR(order[i], int(i) + 1, 3);
}

TEST_P(WaitingTest, RequestsBeyondTheQueueAreRefused) {
  Flag started;
  Flag release;
  app.get("/", [&](Request&, Response& res) {
    started.set();
    blocking([&] { EXPECT_TRUE(release.wait()); });
    res.send("ok");
  });
  const auto serving = serve(1);
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  // One runs, 4 x limit + 1024 wait.
  constexpr protocol::RequestId kServed = 1 + 4 + 1024;
  for (protocol::RequestId id = 1; id <= kServed + 1; ++id) {
    peer.begin(id, "GET", "/");
    peer.input_end(id);
    peer.flush();
    ASSERT_TRUE(started.wait());
  }
  ASSERT_TRUE(peer.wait([&] { return !peer.ended().empty(); }));
  const protocol::RequestId refused = peer.ended().front();
  EXPECT_EQ(refused, kServed + 1);
  EXPECT_EQ(peer.reply(refused).protocol_status, protocol::fastcgi::ProtocolStatus::overloaded);
  release.set();
  ASSERT_TRUE(peer.wait([&] { return peer.ended().size() == kServed + 1; }));
  EXPECT_EQ(peer.reply(kServed).body(), "ok");
}

TEST_P(WaitingTest, AbortedRequestInTheQueueNeverRuns) {
  Flag started;
  Flag release;
  std::atomic<int> runs{0};
  app.get("/", [&](Request&, Response& res) {
    ++runs;
    started.set();
    blocking([&] { EXPECT_TRUE(release.wait()); });
    res.send("ok");
  });
  const auto serving = serve(1);
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  for (protocol::RequestId id = 1; id <= 2; ++id) {
    peer.begin(id, "GET", "/");
    peer.input_end(id);
    peer.flush();
    ASSERT_TRUE(started.wait());
  }
  peer.abort(2);
  ASSERT_TRUE(peer.wait_end(2));
  EXPECT_FALSE(peer.reply(1).ended);
  release.set();
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(runs, 1);
}

TEST_P(WaitingTest, DeadlineStopsTheHandlerAndAnswers504) {
  std::atomic<bool> stopped{false};
  app.get("/", [&](Request& req, Response& res) {
    EXPECT_LT(req.deadline(), steady_clock::now() + milliseconds(200));
    while (!req.stop().stop_requested()) sleep_for(milliseconds(1));
    stopped = true;
    res.write(std::string(100000, 'x'));
  });
  app.get("/forever", [](Request& req, Response& res) {
    EXPECT_EQ(req.deadline(), steady_clock::time_point::max());
    res.send("no deadline");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/", {{"VIADUCT_DEADLINE_MS", "50"}}).status(), 504);
  EXPECT_TRUE(stopped);
  EXPECT_EQ(peer.get("/forever").body(), "no deadline");
}

TEST_P(WaitingTest, AbortEndsASleep) {
  Flag started;
  std::atomic<int> sleeps{0};
  app.get("/", [&](Request& req, Response&) {
    started.set();
    sleep_for(std::chrono::hours(1));
    EXPECT_TRUE(req.stop().stop_requested());
    const auto before = steady_clock::now();
    for (; sleeps < 3; ++sleeps) sleep_for(std::chrono::hours(1));
    EXPECT_GE(steady_clock::now() - before, milliseconds(25));
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  peer.begin(1, "GET", "/");
  peer.input_end(1);
  peer.flush();
  ASSERT_TRUE(started.wait());
  peer.abort(1);
  EXPECT_TRUE(peer.wait_end(1));
  EXPECT_EQ(sleeps, 3);
}

TEST_P(WaitingTest, SleepersWakeInTheOrderOfTheirTimes) {
  std::mutex mutex;
  std::vector<int> order;
  app.get("/{ms:int}", [&](Request& req, Response& res) {
    const int ms = req.arg<int>("ms");
    sleep_for(milliseconds(ms));
    const std::lock_guard lock(mutex);
    order.push_back(ms);
    res.send("ok");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  protocol::RequestId id = 0;
  for (const char* const path : {"/300", "/100", "/500"}) {
    peer.begin(++id, "GET", path);
    peer.input_end(id);
  }
  ASSERT_TRUE(peer.wait([&] { return peer.ended().size() == 3; }));
  EXPECT_EQ(order, (std::vector<int>{100, 300, 500}));
}

TEST_P(WaitingTest, MutexIsHeldAcrossWaits) {
  Mutex mutex;
  int inside = 0;
  app.get("/", [&](Request&, Response& res) {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(++inside, 1);
    sleep_for(milliseconds(1));
    --inside;
    res.send("ok");
  });
  const auto serving = serve(fibers() ? 100 : 8);
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  constexpr protocol::RequestId kCount = 50;
  for (protocol::RequestId id = 1; id <= kCount; ++id) {
    peer.begin(id, "GET", "/");
    peer.input_end(id);
  }
  EXPECT_TRUE(peer.wait([&] { return peer.ended().size() == kCount; }));
}

TEST(FibersTest, TwoHundredSleepAtOnce) {
  App app;
  constexpr protocol::RequestId kCount = 200;
  std::atomic<unsigned> asleep{0};
  app.get("/", [&](Request&, Response& res) {
    ++asleep;
    while (asleep < kCount) sleep_for(milliseconds(1));
    res.send("ok");
  });
  const Serving serving(app, {.model = Model::fibers, .limit = 1000});
  Peer peer(serving.address());
  peer.agree(256 * 1024);
  for (protocol::RequestId id = 1; id <= kCount; ++id) {
    peer.begin(id, "GET", "/");
    peer.input_end(id);
  }
  EXPECT_TRUE(peer.wait([&] { return peer.ended().size() == kCount; }));
  asleep = kCount;
}

TEST(FibersTest, BlockingPassesOnWhatItThrows) {
  App app;
  app.get("/", [&](Request&, Response&) {
    const auto loop = std::this_thread::get_id();
    blocking([&] {
      EXPECT_NE(std::this_thread::get_id(), loop);
      throw http_error(418, "from there");
    });
  });
  const Serving serving(app, {.model = Model::fibers, .limit = 10});
  Peer peer(serving.address());
  EXPECT_EQ(peer.get("/").status(), 418);
}

}  // namespace
}  // namespace viaduct::test
