// Whose log lines carry a request's id.
#include <algorithm>
#include <string>
#include <thread>

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace viaduct::test
