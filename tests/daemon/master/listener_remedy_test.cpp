#include "daemon/master/listener_remedy.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

TEST(ListenerRemedyTest, DependsOnTheSocketAndItsMaker) {
  using Remedy = ListenerRemedy;
  struct Case {
    const char* what;
    ListenerCondition condition;
    Remedy remedy;
  };
  constexpr bool kTcp = true, kListening = true, kShut = true, kMade = true, kTaken = true;
  const Case cases[] = {
      {"a sound TCP socket", {kTcp, kListening, false, kMade, false}, Remedy::none},
      {"a sound Unix socket", {false, kListening, false, kMade, false}, Remedy::none},
      {"a sound inherited one", {false, kListening, false, false, false}, Remedy::none},
      {"TCP, with a peer that has left", {kTcp, kListening, kShut, kMade, false}, Remedy::none},
      {"TCP", {kTcp, false, false, kMade, false}, Remedy::bind},
      {"TCP, shut down", {kTcp, false, kShut, kMade, false}, Remedy::bind},
      {"TCP, its address taken", {kTcp, false, kShut, kMade, kTaken}, Remedy::listen},
      {"inherited TCP", {kTcp, false, kShut, false, false}, Remedy::listen},
      {"Unix, shut down, which still listens",
       {false, kListening, kShut, kMade, false},
       Remedy::bind},
      {"Unix, bound to nothing", {false, false, kShut, kMade, false}, Remedy::bind},
      {"Unix, its name taken", {false, kListening, kShut, kMade, kTaken}, Remedy::report},
      {"inherited Unix", {false, kListening, kShut, false, false}, Remedy::report},
  };
  for (const Case& one : cases) EXPECT_EQ(remedy_for(one.condition), one.remedy) << one.what;
}

}  // namespace
}  // namespace viaduct::daemon::master
