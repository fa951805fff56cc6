#include "daemon/bridge/dispatch/wait_queue.hpp"

#include <array>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using config::Priority;
using std::chrono::milliseconds;

class WaitQueueTest : public ::testing::Test {
 protected:
  enum : std::uint32_t { high, normal, low, two_at_once };

  WaitQueue::Clock::time_point at(int ms) const { return start + milliseconds(ms); }
  Waiting& push(std::uint32_t lane, int ms = 0) {
    Waiting& request = fresh(lane);
    queue.push(request, at(ms));
    return request;
  }
  Waiting& push_again(std::uint32_t lane, int ms = 0) {
    Waiting& request = fresh(lane);
    queue.push_again(request, at(ms));
    return request;
  }
  Waiting* take() {
    Waiting* const next = queue.next();
    if (next != nullptr) {
      EXPECT_TRUE(lanes[next->lane].enter());
      queue.remove(*next);
    }
    return next;
  }
  // The lane is overloaded from 100 ms on.
  void overload(std::uint32_t lane) {
    for (int i = 0; i < 5; ++i) push(lane);
    EXPECT_EQ(queue.overdue(1, at(50)), nullptr);
    Waiting* const first = queue.overdue(1, at(150));
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(first->lane, lane);
    queue.remove(*first);
    EXPECT_EQ(queue.overdue(1, at(150)), nullptr);
    EXPECT_TRUE(queue.overloaded(lane));
  }

  std::deque<Lane> lanes;
  const WaitQueue::Clock::time_point start{std::chrono::hours(1)};
  WaitQueue queue = WaitQueue(make_lanes(), {milliseconds(50), milliseconds(100)});

 private:
  std::deque<Lane>& make_lanes() {
    lanes.emplace_back(Priority::high);
    lanes.emplace_back(Priority::normal);
    lanes.emplace_back(Priority::low);
    lanes.emplace_back(Priority::normal, 2);
    return lanes;
  }
  Waiting& fresh(std::uint32_t lane) {
    requests.emplace_back();
    requests.back().lane = lane;
    return requests.back();
  }
  std::deque<Waiting> requests;
};

TEST_F(WaitQueueTest, WithoutWorkersNobodyIsOverdue) {
  overload(normal);
  Waiting& earliest = *queue.next()->earlier->earlier->earlier;
  queue.interrupt();
  EXPECT_FALSE(queue.overloaded(normal));
  EXPECT_EQ(queue.next(), &earliest) << "in order again";
  EXPECT_EQ(queue.place_for(normal), nullptr) << "a full queue refuses the new one";
  EXPECT_EQ(queue.overdue(1, at(9000)), nullptr);
  EXPECT_EQ(queue.overdue(1, at(9099)), nullptr);
  EXPECT_EQ(queue.overdue(1, at(9100)), &earliest);
}

TEST_F(WaitQueueTest, KnowsSinceWhenTheFirstWaits) {
  EXPECT_EQ(queue.waiting_since(), WaitQueue::Clock::time_point::max());
  Waiting& first = push(low, 5);
  push(high, 7);
  push_again(normal, 9);
  EXPECT_EQ(queue.waiting_since(), at(5));
  queue.remove(first);
  EXPECT_EQ(queue.waiting_since(), at(7));
}

TEST_F(WaitQueueTest, WhoWaitsForTheRoomOfItsLaneNeedsNoWorker) {
  push(two_at_once, 1);
  ASSERT_TRUE(lanes[two_at_once].enter());
  EXPECT_EQ(queue.waiting_since(), at(1));
  ASSERT_TRUE(lanes[two_at_once].enter());
  EXPECT_EQ(queue.waiting_since(), WaitQueue::Clock::time_point::max());
}

TEST_F(WaitQueueTest, IsFirstInFirstOut) {
  Waiting& a = push(normal);
  Waiting& b = push(normal);
  Waiting& c = push(normal);
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(take(), &a);
  EXPECT_EQ(take(), &b);
  EXPECT_EQ(take(), &c);
  EXPECT_EQ(take(), nullptr);
  EXPECT_TRUE(queue.empty());
}

TEST_F(WaitQueueTest, HigherPriorityGoesFirst) {
  Waiting& l = push(low);
  Waiting& n = push(normal);
  Waiting& h1 = push(high);
  Waiting& h2 = push(high);
  for (Waiting* const expected : {&h1, &h2, &n, &l}) EXPECT_EQ(take(), expected);
}

TEST_F(WaitQueueTest, WhoLostAWorkerGoesFirstWithinItsPriority) {
  Waiting& n1 = push(normal);
  Waiting& n2 = push_again(normal);
  Waiting& n3 = push_again(normal);
  Waiting& l = push_again(low);
  Waiting& h = push(high);
  for (Waiting* const expected : {&h, &n2, &n3, &n1, &l}) EXPECT_EQ(take(), expected);
}

TEST_F(WaitQueueTest, ALaneWithoutRoomDoesNotBlockOthers) {
  Waiting& a = push(two_at_once);
  Waiting& b = push(two_at_once);
  Waiting& c = push(two_at_once);
  Waiting& later = push(normal);
  Waiting& last = push(low);
  EXPECT_EQ(take(), &a);
  EXPECT_EQ(take(), &b);
  EXPECT_EQ(take(), &later);
  EXPECT_EQ(take(), &last);
  EXPECT_EQ(take(), nullptr);
  EXPECT_EQ(queue.size(), 1u);
  lanes[two_at_once].leave();
  EXPECT_EQ(take(), &c);
}

TEST_F(WaitQueueTest, LanesOfOnePriorityShareTheOrderOfArrival) {
  Waiting& a = push(normal);
  Waiting& b = push(two_at_once);
  Waiting& c = push(normal);
  for (Waiting* const expected : {&a, &b, &c}) EXPECT_EQ(take(), expected);
}

TEST_F(WaitQueueTest, AnyOneCanBeRemovedAndTwiceDoesNothing) {
  std::array<Waiting*, 4> all{};
  for (auto& request : all) request = &push(normal);
  for (const std::size_t i : {1u, 3u, 0u}) {
    queue.remove(*all[i]);
    queue.remove(*all[i]);
  }
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_EQ(take(), all[2]);
  queue.remove(*all[2]);
  EXPECT_TRUE(queue.empty());
}

TEST_F(WaitQueueTest, ForEachVisitsAllAndMayRemove) {
  push(low);
  push(high);
  push(normal);
  push_again(normal);
  int visited = 0;
  queue.for_each([&](Waiting& request) {
    ++visited;
    queue.remove(request);
  });
  EXPECT_EQ(visited, 4);
  EXPECT_TRUE(queue.empty());
}

TEST_F(WaitQueueTest, IsLateOnceSomebodyHasWaitedForTheTarget) {
  EXPECT_FALSE(queue.late(at(1000)));
  push(low, 0);
  EXPECT_FALSE(queue.late(at(49)));
  EXPECT_TRUE(queue.late(at(50)));
}

TEST_F(WaitQueueTest, OverloadedLaneOffersItsLatestAndShedsItsEarliest) {
  overload(normal);
  Waiting& latest = push(normal, 160);
  Waiting& again = push_again(normal, 170);
  EXPECT_EQ(take(), &again);
  EXPECT_EQ(take(), &latest);
  Waiting* const shed = queue.overdue(1, at(250));
  ASSERT_NE(shed, nullptr);
  EXPECT_EQ(shed->turn, 1u);
}

TEST_F(WaitQueueTest, WhoLostAWorkerIsNotShed) {
  for (int i = 0; i < 3; ++i) push_again(normal);
  for (int ms = 0; ms < 2000; ms += 10) EXPECT_EQ(queue.overdue(1, at(ms)), nullptr);
}

TEST_F(WaitQueueTest, StarvedLaneShedsWhileTheOthersAreServed) {
  overload(low);
  Waiting& h = push(high, 150);
  EXPECT_FALSE(queue.overloaded(high));
  EXPECT_EQ(take(), &h);
}

TEST_F(WaitQueueTest, LaneWithALimitHasAsManySlotsAsItsLimit) {
  for (int i = 0; i < 5; ++i) push(two_at_once);
  EXPECT_EQ(queue.overdue(100, at(50)), nullptr);
  EXPECT_NE(queue.overdue(100, at(150)), nullptr);
}

TEST_F(WaitQueueTest, FullQueueMakesPlaceForHigherPriority) {
  EXPECT_EQ(queue.place_for(high), nullptr);
  push(normal);
  push(low);
  Waiting& newest = push(low);
  EXPECT_EQ(queue.place_for(high), &newest);
  EXPECT_EQ(queue.place_for(normal), &newest);
  EXPECT_EQ(queue.place_for(two_at_once), &newest);
  EXPECT_EQ(queue.place_for(low), nullptr);
}

TEST_F(WaitQueueTest, OverloadedFullQueueMakesPlaceForTheLatest) {
  overload(normal);
  Waiting* const victim = queue.place_for(normal);
  ASSERT_NE(victim, nullptr);
  EXPECT_EQ(victim->turn, 1u);
  EXPECT_EQ(queue.place_for(low), nullptr);
}

TEST(Lane, LimitHoldsAtBelowAndAbove) {
  Lane lane(Priority::normal, 2);
  EXPECT_TRUE(lane.enter());
  EXPECT_TRUE(lane.has_room());
  EXPECT_TRUE(lane.enter());
  EXPECT_FALSE(lane.has_room());
  EXPECT_FALSE(lane.enter());
  lane.leave();
  EXPECT_TRUE(lane.enter());
  Lane unlimited(Priority::low);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(unlimited.enter());
}

}  // namespace
}  // namespace viaduct::daemon::bridge
