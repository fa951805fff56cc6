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

  // Returns when the handler has begun to wait for the client.
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
  constexpr int kRequests = 400;
  int changes = 0;
  std::string before;
  for (int i = 0; i < kRequests; ++i) {
    std::string thread(quick.get("/thread").body());
    ASSERT_NE(thread, "");
    changes += thread == before ? 0 : 1;
    before = std::move(thread);
  }
  // A thread that loses its processor for long is replaced; one that does not is kept.
  EXPECT_LT(changes, kRequests / 2);
  end(slow);
}

TEST_P(ThreadExecutorTest, WhoWaitsIsServedWhileOthersCompute) {
  std::atomic<bool> done{false};
  std::atomic<int> computing{0};
  app.get("/computes", [&](Request&, Response& res) {
    ++computing;
    while (!done) continue;
    res.send("computed");
  });
  const auto serving = serve(3);
  Peer slow(serving->address());
  begin(slow);
  Peer other(serving->address());
  other.agree(kWindow);
  for (protocol::RequestId id = 1; id <= 2; ++id) {
    other.begin(id, "GET", "/computes");
    other.input_end(id);
    other.flush();
    while (computing < static_cast<int>(id)) std::this_thread::yield();
  }
  end(slow);
  done = true;
  EXPECT_TRUE(other.wait([&] { return other.ended().size() == 2; }));
}

}  // namespace
}  // namespace viaduct::test
