#include "daemon/master/worker_lifecycle.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using S = WorkerState;
using E = WorkerEvent;
using A = WorkerAction;

constexpr S kStates[] = {S::starting, S::ready, S::draining, S::discarded, S::stopping, S::gone};
constexpr E kEvents[] = {E::answered, E::start_expired, E::retire,       E::replace,
                         E::idle,     E::drain_expired, E::stop_expired, E::exited};

struct Row {
  S from;
  E event;
  S to;
  std::vector<A> actions;
};

const Row kTable[] = {
    {S::starting, E::answered, S::ready, {A::report_ready}},
    {S::starting, E::start_expired, S::stopping, {A::tell_draining, A::signal_kill}},
    {S::starting, E::retire, S::stopping, {A::tell_draining, A::signal_stop}},
    {S::starting, E::replace, S::stopping, {A::tell_draining, A::signal_kill}},
    {S::starting, E::exited, S::gone, {A::free_place, A::tell_dead}},
    {S::ready, E::answered, S::ready, {}},
    {S::ready, E::retire, S::draining, {A::tell_draining}},
    {S::ready, E::replace, S::discarded, {A::tell_draining, A::free_place, A::signal_term}},
    {S::ready, E::exited, S::gone, {A::free_place, A::tell_dead}},
    {S::draining, E::answered, S::draining, {}},
    {S::draining, E::retire, S::draining, {}},
    {S::draining, E::replace, S::discarded, {A::signal_term}},
    {S::draining, E::idle, S::stopping, {A::signal_stop}},
    {S::draining, E::drain_expired, S::stopping, {A::signal_stop}},
    {S::draining, E::exited, S::gone, {A::free_place, A::tell_dead}},
    {S::discarded, E::answered, S::discarded, {}},
    {S::discarded, E::retire, S::discarded, {}},
    {S::discarded, E::replace, S::discarded, {}},
    {S::discarded, E::idle, S::discarded, {A::hasten_kill}},
    {S::discarded, E::stop_expired, S::stopping, {A::signal_kill}},
    {S::discarded, E::exited, S::gone, {A::free_place, A::tell_dead}},
    {S::stopping, E::answered, S::stopping, {}},
    {S::stopping, E::retire, S::stopping, {}},
    {S::stopping, E::replace, S::stopping, {}},
    {S::stopping, E::idle, S::stopping, {}},
    {S::stopping, E::stop_expired, S::stopping, {A::signal_kill}},
    {S::stopping, E::exited, S::gone, {A::free_place, A::tell_dead}},
};

const Row* find(S from, E event) {
  for (const Row& row : kTable) {
    if (row.from == from && row.event == event) return &row;
  }
  return nullptr;
}

std::vector<A> without_none(const WorkerStep& step) {
  std::vector<A> actions;
  for (const A action : step.actions) {
    if (action != A::none) actions.push_back(action);
  }
  return actions;
}

TEST(WorkerLifecycleTest, EveryPairOfStateAndEventIsAsListedOrAnError) {
  for (const S state : kStates) {
    for (const E event : kEvents) {
      SCOPED_TRACE(std::string(to_string(state)) + " on " + std::string(to_string(event)));
      const Row* row = find(state, event);
      const auto step = advance(state, event);
      ASSERT_EQ(step.has_value(), row != nullptr);
      if (row == nullptr) continue;
      EXPECT_EQ(to_string(step->next), to_string(row->to));
      EXPECT_EQ(without_none(*step), row->actions);
    }
  }
}

TEST(WorkerLifecycleTest, DeathIsAlwaysToldLast) {
  for (const S state : kStates) {
    const auto step = advance(state, E::exited);
    if (state == S::gone) {
      EXPECT_FALSE(step);
      continue;
    }
    ASSERT_TRUE(step);
    EXPECT_EQ(without_none(*step).back(), A::tell_dead);
  }
}

}  // namespace
}  // namespace viaduct::daemon::master
