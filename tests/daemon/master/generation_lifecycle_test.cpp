#include "daemon/master/generation_lifecycle.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using S = GenerationState;
using E = GenerationEvent;
using A = GenerationAction;

struct Row {
  S from;
  E event;
  S to;
  A action;
};

constexpr Row kTable[] = {
    {S::preparing, E::prepared, S::active, A::accept},
    {S::preparing, E::abandoned, S::ending, A::kill_bridge},
    {S::preparing, E::bridge_ended, S::gone, A::release},
    {S::active, E::superseded, S::draining, A::drain},
    {S::active, E::bridge_ended, S::active, A::restart_bridge},
    {S::draining, E::superseded, S::draining, A::none},
    {S::draining, E::expired, S::ending, A::kill_bridge},
    {S::draining, E::bridge_ended, S::gone, A::release},
    {S::ending, E::abandoned, S::ending, A::none},
    {S::ending, E::superseded, S::ending, A::none},
    {S::ending, E::expired, S::ending, A::none},
    {S::ending, E::bridge_ended, S::gone, A::release},
};

TEST(GenerationLifecycleTest, EveryPairOfStateAndEventIsAsListedOrAnError) {
  for (const S state : {S::preparing, S::active, S::draining, S::ending, S::gone}) {
    for (const E event : {E::prepared, E::abandoned, E::superseded, E::expired, E::bridge_ended}) {
      SCOPED_TRACE(std::string(to_string(state)) + " on " + std::string(to_string(event)));
      const Row* row = nullptr;
      for (const Row& candidate : kTable) {
        if (candidate.from == state && candidate.event == event) row = &candidate;
      }
      const auto step = advance(state, event);
      ASSERT_EQ(step.has_value(), row != nullptr);
      if (row == nullptr) continue;
      EXPECT_EQ(to_string(step->next), to_string(row->to));
      EXPECT_EQ(step->action, row->action);
    }
  }
}

}  // namespace
}  // namespace viaduct::daemon::master
