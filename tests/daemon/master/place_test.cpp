#include "daemon/master/place.hpp"

#include <string>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using S = PlaceState;
using E = PlaceEvent;
using A = PlaceAction;

constexpr S kStates[] = {S::vacant, S::held, S::relieving};
constexpr E kEvents[] = {E::due, E::recycle, E::relieved, E::lost, E::successor_lost};

struct Row {
  S from;
  E event;
  S to;
  A action;
};

constexpr Row kTable[] = {
    {S::vacant, E::due, S::held, A::launch},
    {S::held, E::recycle, S::relieving, A::launch_successor},
    {S::held, E::lost, S::vacant, A::back_off},
    {S::relieving, E::relieved, S::held, A::relieve},
    {S::relieving, E::lost, S::held, A::promote},
    {S::relieving, E::successor_lost, S::held, A::recycle_later},
};

const Row* find(S from, E event) {
  for (const Row& row : kTable) {
    if (row.from == from && row.event == event) return &row;
  }
  return nullptr;
}

TEST(PlaceTest, EveryPairOfStateAndEventIsAsListedOrAnError) {
  for (const S state : kStates) {
    for (const E event : kEvents) {
      SCOPED_TRACE(std::string(to_string(state)) + " on " + std::string(to_string(event)));
      const Row* row = find(state, event);
      const auto step = advance(state, event);
      ASSERT_EQ(step.has_value(), row != nullptr);
      if (row == nullptr) continue;
      EXPECT_EQ(to_string(step->next), to_string(row->to));
      EXPECT_EQ(step->action, row->action);
    }
  }
}

// A small world of one place: whatever happens to the successor, the holder goes on until it is
// relieved.
TEST(PlaceTest, OnlyAReadySuccessorTakesTheHolderAway) {
  for (const E event : kEvents) {
    const auto step = advance(S::relieving, event);
    if (!step || event == E::lost) continue;
    EXPECT_EQ(step->action == A::relieve, event == E::relieved);
    EXPECT_NE(step->next, S::vacant);
  }
}

}  // namespace
}  // namespace viaduct::daemon::master
