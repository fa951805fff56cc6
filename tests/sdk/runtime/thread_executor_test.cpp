#include <algorithm>
#include <atomic>
#include <sstream>
#include <string>
#include <thread>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

constexpr std::uint32_t kWindow = 256 * 1024;

/// How a handler waits for its client.
enum class Wait { reads, writes };

class ThreadExecutorTest : public ::testing::TestWithParam<Wait> {
 protected:
  ThreadExecutorTest() {
    app.post("/reads", [this](Request& req, Response& res) {
      begun.set();
      res.send(req.body().text(1 << 20));
    });
    app.post("/writes", [this](Request&, Response& res) {
      begun.set();
      res.write(std::string(kWindow + 1, 'x'));
    });
    app.get("/thread", [](Request&, Response& res) {
      std::ostringstream name;
      name << std::this_thread::get_id();
      res.send(name.str());
    });
  }

  [[nodiscard]] std::unique_ptr<Serving> serve(std::uint32_t limit) {
    return std::make_unique<Serving>(
        app, detail::ServerOptions{
                 .model = Model::threads, .limit = limit, .stop_time = std::chrono::seconds(30)});
  }

  // Returns when the handler waits for its client, or is about to.
  void begin(Peer& slow) {
    slow.agree(kWindow);
    slow.auto_credit = false;
    slow.begin(1, "POST", GetParam() == Wait::reads ? "/reads" : "/writes");
    slow.flush();
    ASSERT_TRUE(begun.wait());
    if (GetParam() == Wait::writes) {
      ASSERT_TRUE(slow.wait([&] { return slow.reply(1).output.size() == kWindow; }));
    }
  }

  void end(Peer& slow) {
    slow.auto_credit = true;
    if (GetParam() == Wait::writes) slow.grant(1, kWindow);
    slow.input_end(1);
    EXPECT_TRUE(slow.wait_end(1));
  }

  App app;
  Flag begun;
};

INSTANTIATE_TEST_SUITE_P(Waits, ThreadExecutorTest, ::testing::Values(Wait::reads, Wait::writes),
                         [](const auto& tested) {
                           return tested.param == Wait::reads ? "reads" : "writes";
                         });

TEST_P(ThreadExecutorTest, RequestsBesideAWaitingHandlerAreNotHandedOver) {
  const auto serving = serve(8);
  Peer slow(serving->address());
  begin(slow);
  Peer quick(serving->address());
  quick.agree(kWindow);
  // A thread that loses its processor for long is replaced; one that does not is kept. On a busy
  // machine that may be a round's lot, but not that of every one.
  constexpr int kRounds = 5;
  constexpr int kRequests = 400;
  int fewest = kRequests;
  for (int round = 0; round < kRounds && fewest >= kRequests / 2; ++round) {
    int changes = 0;
    std::string before;
    for (int i = 0; i < kRequests; ++i) {
      std::string thread(quick.get("/thread").body());
      ASSERT_NE(thread, "");
      changes += thread == before ? 0 : 1;
      before = std::move(thread);
    }
    fewest = std::min(fewest, changes);
  }
  EXPECT_LT(fewest, kRequests / 2);
  end(slow);
}

/// Handlers that compute until they are let go, in one batch, so that none calls a thread first.
class Computing {
 public:
  explicit Computing(App& app) {
    app.get("/computes", [this](Request&, Response& res) {
      ++running_;
      while (!done_) continue;
      res.send("computed");
    });
  }

  void begin(Peer& peer, protocol::RequestId from, protocol::RequestId to) {
    for (protocol::RequestId id = from; id <= to; ++id) {
      peer.begin(id, "GET", "/computes");
      peer.input_end(id);
    }
    peer.flush();
  }
  void wait(int running) const {
    while (running_ < running) std::this_thread::yield();
  }
  void end() { done_ = true; }

 private:
  std::atomic<bool> done_{false};
  std::atomic<int> running_{0};
};

TEST_P(ThreadExecutorTest, WhoWaitsIsServedWhileTheLastOthersCompute) {
  Computing computing(app);
  const auto serving = serve(3);
  Peer slow(serving->address());
  begin(slow);
  Peer other(serving->address());
  other.agree(kWindow);
  for (int i = 1; i <= 2; ++i) {
    computing.begin(other, static_cast<protocol::RequestId>(i),
                    static_cast<protocol::RequestId>(i));
    computing.wait(i);
  }
  end(slow);
  computing.end();
  EXPECT_TRUE(other.wait([&] { return other.ended().size() == 2; }));
}

TEST_P(ThreadExecutorTest, WhoWaitsAndOthersAreServedWhileABatchComputes) {
  Computing computing(app);
  const auto serving = serve(8);
  Peer slow(serving->address());
  begin(slow);
  Peer other(serving->address());
  other.agree(kWindow);
  computing.begin(other, 1, 6);
  Peer quick(serving->address());
  EXPECT_NE(quick.get("/thread").body(), "");
  end(slow);
  computing.end();
  EXPECT_TRUE(other.wait([&] { return other.ended().size() == 6; }));
}

// Whoever waited alone for long goes on, and a request comes with what it waited for.
TEST_P(ThreadExecutorTest, OthersAreServedWhenAWaitIsOver) {
  Computing computing(app);
  const bool reads = GetParam() == Wait::reads;
  app.post("/waits", [&](Request& req, Response& res) {
    begun.set();
    if (reads) {
      req.body().text(1);
    } else {
      res.write(std::string(kWindow + 1, 'x'));
    }
    computing.wait(1);
  });
  const auto serving = serve(8);
  Peer peer(serving->address());
  peer.agree(kWindow);
  peer.auto_credit = false;
  peer.begin(1, "POST", "/waits");
  peer.flush();
  ASSERT_TRUE(begun.wait());
  // Longer than the other threads look for something to do.
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  if (reads) {
    peer.input_end(1);
  } else {
    peer.grant(1, kWindow);
  }
  computing.begin(peer, 2, 2);
  Peer quick(serving->address());
  EXPECT_NE(quick.get("/thread").body(), "");
  computing.end();
  EXPECT_TRUE(peer.wait([&] { return peer.ended().size() == 2; }));
}

}  // namespace
}  // namespace viaduct::test
