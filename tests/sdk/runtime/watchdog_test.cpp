// Handlers that hold up their loop, and fibers that outgrow their stacks.
#include <atomic>
#include <string>

#include <gmock/gmock.h>

#include "sdk/src/log_output.hpp"
#include "sdk/src/runtime/fiber_sanitizers.hpp"
#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {

namespace {

std::atomic<bool> holding{false};

__attribute__((noinline)) void hold_up() {
  while (holding) continue;
}

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class WatchdogTest : public ::testing::Test {
 protected:
  WatchdogTest() : redirection_(sink_) {}

  [[nodiscard]] std::unique_ptr<Serving> serve(milliseconds threshold) {
    return std::make_unique<Serving>(
        app, detail::ServerOptions{
                 .model = Model::fibers, .limit = 10, .fibers = {.watchdog = threshold}});
  }
  [[nodiscard]] std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  // The report and what belongs to it, once the first line of it is there.
  [[nodiscard]] bool reported() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (lines().empty() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return !lines().empty();
  }

  App app;

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
  const detail::LogSink sink_ = [this](Level level, std::string_view line) {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(level, Level::warn);
    lines_.emplace_back(line);
  };
  detail::LogRedirection redirection_;
};

TEST_F(WatchdogTest, ReportsRequestAndStackOfWhoHoldsTheLoopUp) {
  app.get("/held", [](Request&, Response& res) {
    hold_up();
    res.send("done");
  });
  const auto serving = serve(milliseconds(60));
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  holding = true;
  peer.begin(1, "GET", "/held", {{"REQUEST_ID", "abc"}});
  peer.input_end(1);
  peer.flush();
  ASSERT_TRUE(reported());
  // The peer's questions are answered behind the report, so all of it has been written by then.
  const std::uint32_t before = peer.values_received();
  peer.ask_values();
  EXPECT_TRUE(peer.wait([&] { return peer.values_received() > before; }));
  holding = false;
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body(), "done");
  const auto all = lines();
  EXPECT_THAT(all.front(), AllOf(StartsWith("[abc] a handler has held its loop up for "),
                                 HasSubstr(" ms: GET /held")));
#ifndef VIADUCT_TSAN  // which delivers signals when the thread waits
  EXPECT_THAT(
      all, Contains(AllOf(StartsWith("[abc]   "), HasSubstr("hold_up() at watchdog_test.cpp:"))));
#endif
}

TEST_F(WatchdogTest, SecondReportComesLater) {
  app.get("/held", [](Request&, Response& res) {
    hold_up();
    res.send("done");
  });
  const auto serving = serve(milliseconds(30));
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  for (protocol::RequestId id = 1; id <= 2; ++id) {
    holding = true;
    peer.begin(id, "GET", "/held");
    peer.input_end(id);
    peer.flush();
    if (id == 1) {
      ASSERT_TRUE(reported());
    }
    peer.drain(milliseconds(150));
    holding = false;
    ASSERT_TRUE(peer.wait_end(id));
  }
  int reports = 0;
  for (const std::string& line : lines()) {
    reports += line.find("held its loop up") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(reports, 1);
}

TEST_F(WatchdogTest, WaitingHandlersHoldNothingUp) {
  app.get("/", [](Request&, Response& res) {
    sleep_for(milliseconds(200));
    blocking([] { std::this_thread::sleep_for(milliseconds(100)); });
    res.send("done");
  });
  const auto serving = serve(milliseconds(60));
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/").body(), "done");
  EXPECT_TRUE(lines().empty());
}

TEST_F(WatchdogTest, ZeroSwitchesItOff) {
  app.get("/", [](Request&, Response& res) {
    const auto until = std::chrono::steady_clock::now() + milliseconds(200);
    while (std::chrono::steady_clock::now() < until) continue;
    res.send("done");
  });
  const auto serving = serve(milliseconds(0));
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/").body(), "done");
  EXPECT_TRUE(lines().empty());
}

}  // namespace
}  // namespace viaduct::test
