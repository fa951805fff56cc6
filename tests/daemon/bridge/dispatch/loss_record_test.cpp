#include "daemon/bridge/dispatch/loss_record.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using std::chrono::seconds;

const LossRecord::Clock::time_point kNow{std::chrono::hours(1)};

TEST(LossRecord, CountsTheRequestsOfEachRouteAtEachWorker) {
  LossRecord record;
  record.add(1, "GET /a", "GET /x?y", kNow);
  record.add(1, "GET /a", "GET /x?y", kNow);
  record.add(1, "GET /b", "GET /x?y", kNow);
  record.add(2, "GET /c", "GET /x?y", kNow);
  const auto first = record.take(1, kNow).suspects;
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].route, "GET /a");
  EXPECT_EQ(first[0].requests, 2u);
  EXPECT_EQ(first[1].route, "GET /b");
  EXPECT_EQ(first[1].requests, 1u);
  EXPECT_TRUE(record.take(1, kNow).suspects.empty());
  EXPECT_EQ(record.take(2, kNow).suspects.size(), 1u);
}

TEST(LossRecord, ForgetsWhatWasAnsweredElsewhere) {
  LossRecord record;
  record.add(1, "GET /a", "GET /x?y", kNow);
  record.add(1, "GET /b", "GET /x?y", kNow);
  EXPECT_TRUE(record.clear(1, "GET /a"));
  EXPECT_TRUE(record.clear(1, "GET /never"));
  EXPECT_FALSE(record.clear(2, "GET /a"));
  const auto left = record.take(1, kNow).suspects;
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].route, "GET /b");
}

TEST(LossRecord, TellsOfEveryRequestAlsoOfThoseAnsweredElsewhere) {
  LossRecord record;
  record.add(1, "GET /a", "GET /a?1", kNow);
  record.add(1, "GET /a", "GET /a?2", kNow);
  record.clear(1, "GET /a");
  const auto loss = record.take(1, kNow);
  EXPECT_TRUE(loss.suspects.empty());
  EXPECT_EQ(loss.requests.lines, (std::vector<std::string>{"GET /a?1", "GET /a?2"}));
  EXPECT_EQ(loss.requests.total, 2u);
  EXPECT_EQ(record.take(1, kNow).requests.total, 0u);
}

TEST(LossRecord, LastsForAWhileOnly) {
  LossRecord record;
  record.add(1, "GET /a", "GET /x?y", kNow);
  record.add(2, "GET /a", "GET /x?y", kNow);
  EXPECT_EQ(record.take(1, kNow + LossRecord::kLasting).suspects.size(), 1u);
  EXPECT_TRUE(record.take(2, kNow + LossRecord::kLasting + seconds(1)).suspects.empty());
  record.add(3, "GET /old", "GET /x?y", kNow);
  record.add(3, "GET /new", "GET /x?y", kNow + LossRecord::kLasting + seconds(1));
  const auto left = record.take(3, kNow + LossRecord::kLasting + seconds(1)).suspects;
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].route, "GET /new");
}

TEST(LossRecord, IsBounded) {
  LossRecord record;
  for (std::size_t i = 0; i < LossRecord::kMaxRoutes + 10; ++i) {
    record.add(1, "GET /" + std::to_string(i), "GET /x?y", kNow);
  }
  EXPECT_EQ(record.take(1, kNow).suspects.size(), LossRecord::kMaxRoutes);
  for (std::uint64_t worker = 1; worker <= LossRecord::kMaxWorkers + 1; ++worker) {
    record.add(worker, "GET /", "GET /x?y", kNow + std::chrono::milliseconds(worker));
  }
  EXPECT_TRUE(record.take(1, kNow).suspects.empty()) << "the oldest went";
  EXPECT_EQ(record.take(2, kNow).suspects.size(), 1u);
  EXPECT_EQ(record.take(LossRecord::kMaxWorkers + 1, kNow).suspects.size(), 1u);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
