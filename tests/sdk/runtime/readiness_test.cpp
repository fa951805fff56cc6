#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::StartsWith;

using ReadinessTest = ModelTest;
INSTANTIATE_TEST_SUITE_P(Models, ReadinessTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(ReadinessTest, QuestionsWaitForIt) {
  std::atomic<bool> ready{false};
  Flag asked;
  app.readiness([&] {
    const bool answer = ready;
    asked.set();
    return answer;
  });
  app.get("/", [](Request&, Response& res) { res.send("served"); });
  const auto serving = serve();
  Peer waiting(serving->address());
  waiting.ask_values();
  waiting.flush();
  EXPECT_TRUE(asked.wait());
  // Who does not ask is served; an answer to the question would have come before.
  EXPECT_EQ(waiting.get("/").body(), "served");
  EXPECT_EQ(waiting.values_received(), 0U);
  ready = true;
  EXPECT_TRUE(waiting.wait([&] { return waiting.values_received() == 1; }));
  Peer later(serving->address());
  EXPECT_EQ(later.agree(256 * 1024).max_reqs, 8U);
  EXPECT_EQ(later.get("/").body(), "served");
  EXPECT_THAT(lines(2), ElementsAre("not ready yet", StartsWith("ready after ")));
}

TEST_P(ReadinessTest, AsksWithPausesUntilTheFirstYes) {
  std::vector<steady_clock::time_point> questions;
  app.readiness([&] {
    questions.push_back(steady_clock::now());
    if (questions.size() < 2) throw std::runtime_error("no database");
    if (questions.size() < 3) throw 42;
    return questions.size() == 4;
  });
  {
    const auto serving = serve();
    Peer peer(serving->address());
    EXPECT_TRUE(peer.agree(256 * 1024).window.has_value());
  }
  ASSERT_EQ(questions.size(), 4U);
  EXPECT_GE(questions[1] - questions[0], milliseconds(10));
  EXPECT_GE(questions[2] - questions[1], milliseconds(20));
  EXPECT_GE(questions[3] - questions[2], milliseconds(40));
  EXPECT_THAT(lines(), ElementsAre("not ready yet: no database (std::runtime_error)",
                                   "not ready yet: an exception of type int", "not ready yet",
                                   StartsWith("ready after ")));
}

TEST_P(ReadinessTest, AppThatNeverBecomesReadyDrains) {
  app.readiness([] {
    sleep_for(std::chrono::hours(1));
    return false;
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.ask_values();
  peer.drain(milliseconds(20));
  serving->drain();
  EXPECT_TRUE(peer.wait([&] { return peer.closed(); }));
  EXPECT_TRUE(serving->returns(std::chrono::seconds(10)));
}

}  // namespace
}  // namespace viaduct::test
