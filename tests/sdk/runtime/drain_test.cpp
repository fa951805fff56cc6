#include <string>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

using DrainTest = ModelTest;
INSTANTIATE_TEST_SUITE_P(Models, DrainTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(DrainTest, ReturnsAtOnceWithoutConnections) {
  const auto serving = serve();
  serving->drain();
  EXPECT_TRUE(serving->returns(seconds(10)));
}

TEST_P(DrainTest, ClosesIdleConnections) {
  app.get("/", [](Request&, Response& res) { res.send("ok"); });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/").body(), "ok");
  serving->drain();
  EXPECT_TRUE(peer.wait([&] { return peer.closed(); }));
  EXPECT_TRUE(serving->returns(seconds(10)));
}

TEST_P(DrainTest, FinishesRequestsInFlight) {
  Flag started;
  app.get("/", [&](Request& req, Response& res) {
    started.set();
    while (!req.draining()) sleep_for(milliseconds(1));
    EXPECT_FALSE(req.stop().stop_requested());
    res.send("finished");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.begin(1, "GET", "/");
  peer.input_end(1);
  peer.flush();
  ASSERT_TRUE(started.wait());
  serving->drain();
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body(), "finished");
  EXPECT_TRUE(peer.wait([&] { return peer.closed(); }));
  EXPECT_TRUE(serving->returns(seconds(10)));
}

TEST_P(DrainTest, StopsWhatOutlastsTheTimeToDrain) {
  Flag started;
  app.post("/", [&](Request& req, Response&) {
    started.set();
    (void)req.body().text();  // whose end never comes
  });
  const auto serving = serve(8, milliseconds(50));
  Peer peer(serving->address());
  peer.begin(1, "POST", "/");
  peer.flush();
  ASSERT_TRUE(started.wait());
  serving->drain();
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).status(), 503);
  EXPECT_TRUE(serving->returns(seconds(10)));
}

}  // namespace
}  // namespace viaduct::test
