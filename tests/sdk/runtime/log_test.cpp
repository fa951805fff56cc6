// Whose log lines carry a request's id.
#include <algorithm>
#include <string>
#include <thread>

#include <gmock/gmock.h>

#include "sdk/src/runtime/late_log.hpp"
#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

using ::testing::ElementsAre;

using LogTest = ModelTest;
INSTANTIATE_TEST_SUITE_P(Models, LogTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(LogTest, LinesOfAHandlerCarryItsRequestsId) {
  app.get("/", [](Request& req, Response& res) {
    log(Level::info, "plain");
    req.log(Level::info, "request's");
    sleep_for(std::chrono::milliseconds(1));
    log(Level::info, "after a wait");
    blocking([] { log(Level::info, "blocking"); });
    std::jthread([] { log(Level::info, "another thread's"); }).join();
    res.send("ok");
  });
  app.get("/throws", [](Request&, Response&) { throw std::runtime_error("thrown"); });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/", {{"REQUEST_ID", "abc"}}).body(), "ok");
  EXPECT_EQ(peer.get("/throws", {{"REQUEST_ID", "def"}}).status(), 500);
  log(Level::info, "outside");
  EXPECT_THAT(lines(), ElementsAre("[abc] plain", "[abc] request's", "[abc] after a wait",
                                   "[abc] blocking", "another thread's",
                                   "[def] GET /throws: thrown (std::runtime_error)", "outside"));
}

TEST_P(LogTest, RequestsAtTheSameTimeKeepTheirIds) {
  app.get("/{n}", [](Request& req, Response& res) {
    log(Level::info, *req.arg("n"));
    sleep_for(std::chrono::milliseconds(5));
    log(Level::info, *req.arg("n"));
    res.send("ok");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  for (protocol::RequestId id = 1; id <= 20; ++id) {
    const std::string n = std::to_string(id);
    peer.begin(id, "GET", "/" + n, {{"REQUEST_ID", n}});
    peer.input_end(id);
  }
  ASSERT_TRUE(peer.wait([&] { return peer.ended().size() == 20; }));
  for (int n = 1; n <= 20; ++n) {
    const std::string line = "[" + std::to_string(n) + "] " + std::to_string(n);
    const auto all = lines();
    EXPECT_EQ(std::count(all.begin(), all.end(), line), 2) << line;
  }
}

// It would hold up the engine, which the handler needs.
TEST_P(LogTest, ASinkMayWaitForAHandler) {
  Flag begun;
  Flag called;
  std::mutex shared;
  const detail::LogSink sink = [&](Level, std::string_view) {
    called.set();
    const std::lock_guard lock(shared);
  };
  const detail::LogRedirection redirection(sink);
  app.get("/", [&](Request&, Response& res) {
    const std::lock_guard lock(shared);
    begun.set();
    blocking([&] { EXPECT_TRUE(called.wait()); });
    res.send("ok");
  });
  app.post("/body", [](Request& req, Response& res) { res.send(req.body().text(1)); });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.begin(1, "GET", "/");
  peer.input_end(1);
  peer.flush();
  ASSERT_TRUE(begun.wait());
  Peer malformed(serving->address());
  malformed.agree(256 * 1024);
  malformed.begin(1, "POST", "/body");
  malformed.grant(1, 0);
  malformed.flush();
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body(), "ok");
}

TEST(LateLogTest, WhatASlowSinkCannotTakeIsCounted) {
  constexpr std::size_t kTooMany = 3;
  Flag called;
  Flag go;
  std::vector<std::string> lines;
  const detail::LogSink sink = [&](Level, std::string_view line) {
    called.set();
    EXPECT_TRUE(go.wait());
    lines.emplace_back(line);
  };
  const detail::LogRedirection redirection(sink);
  {
    detail::LateLog log;
    log.add(Level::warn, "abc", "first");
    ASSERT_TRUE(called.wait());
    for (std::size_t i = 0; i < detail::LateLog::kMost + kTooMany; ++i) {
      log.add(Level::warn, {}, std::to_string(i));
    }
    go.set();
  }
  ASSERT_EQ(lines.size(), detail::LateLog::kMost + 2);
  EXPECT_EQ(lines.front(), "[abc] first");
  EXPECT_EQ(lines[detail::LateLog::kMost], std::to_string(detail::LateLog::kMost - 1));
  EXPECT_EQ(lines.back(), "3 lines were left out: the log is slow");
}

}  // namespace
}  // namespace viaduct::test
