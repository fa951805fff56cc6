#include "daemon/master/score_slots.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::master {
namespace {

class ScoreSlotsTest : public ::testing::Test {
 protected:
  UniqueFd memory{create_scoreboard()};
  Scoreboard& scores{map_scoreboard(memory.get())};
  ScoreSlots slots{scores};
};

TEST_F(ScoreSlotsTest, AnAppKeepsItsPlaceWhileAnyGenerationHoldsIt) {
  auto first = slots.take("shop");
  const auto blog = slots.take("blog");
  EXPECT_NE(first->index, blog->index);
  scores.apps[first->index].requests = 7;

  const auto second = slots.take("shop");
  const auto index = first->index;
  EXPECT_EQ(second->index, index);
  first.reset();
  EXPECT_EQ(slots.take("shop")->index, index);
  EXPECT_EQ(scores.apps[index].requests.load(), 7u);
}

TEST_F(ScoreSlotsTest, AFreePlaceBeginsAtZero) {
  auto shop = slots.take("shop");
  AppScore& score = scores.apps[shop->index];
  score.requests = 1;
  score.failed = 2;
  score.aborted = 3;
  score.retried = 4;
  score.timeouts = 5;
  score.active = 6;
  score.queued = 7;
  shop.reset();
  const auto blog = slots.take("blog");
  ASSERT_EQ(&scores.apps[blog->index], &score);
  EXPECT_EQ(score.requests + score.failed + score.aborted + score.retried + score.timeouts, 0u);
  EXPECT_EQ(score.active + score.queued, 0);
}

TEST_F(ScoreSlotsTest, ThereAreAsManyAsTheScoreboardHas) {
  std::vector<std::shared_ptr<const ScoreSlot>> held;
  for (std::uint32_t i = 0; i < Scoreboard::kMaxApps; ++i) {
    held.push_back(slots.take("app" + std::to_string(i)));
  }
  EXPECT_THROW(slots.take("one more"), std::runtime_error);
  EXPECT_EQ(slots.take("app3")->index, held[3]->index);
  held.pop_back();
  EXPECT_NO_THROW(slots.take("one more"));
}

TEST_F(ScoreSlotsTest, GaugesAloneAreReset) {
  const auto shop = slots.take("shop");
  AppScore& score = scores.apps[shop->index];
  score.requests = 1;
  score.active = 2;
  score.queued = -3;
  scores.connections = 4;
  slots.reset_gauges();
  EXPECT_EQ(score.requests.load(), 1u);
  EXPECT_EQ(score.active.load(), 0);
  EXPECT_EQ(score.queued.load(), 0);
  EXPECT_EQ(scores.connections.load(), 0);
}

}  // namespace
}  // namespace viaduct::daemon::master
