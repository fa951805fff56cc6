#include "daemon/bridge/front/expendable.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using State = Expendable<const char>::State;

Expendable<const char> candidate(const char* name, State state, int second) {
  return {name, state, Clock::time_point(std::chrono::seconds(second))};
}

TEST(Expendable, ByStateAndTheLongestInItFirst) {
  const std::vector<Expendable<const char>> all{
      candidate("f", State::in_head, 1),  candidate("d", State::idle, 7),
      candidate("b", State::answered, 9), candidate("g", State::in_head, 9),
      candidate("c", State::idle, 3),     candidate("a", State::answered, 8),
      candidate("e", State::idle, 8)};
  for (const auto& [most, expected] :
       std::initializer_list<std::pair<std::size_t, const char*>>{{0, ""},
                                                                  {1, "a"},
                                                                  {2, "ab"},
                                                                  {4, "abcd"},
                                                                  {6, "abcdef"},
                                                                  {7, "abcdefg"},
                                                                  {8, "abcdefg"}}) {
    auto some = all;
    keep_first(some, most);
    std::string names;
    for (const auto& each : some) names += *each.connection;
    EXPECT_EQ(names, expected) << most;
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge
