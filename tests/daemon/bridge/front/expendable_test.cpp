#include "daemon/bridge/front/expendable.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

Expendable<const char> candidate(const char* name, bool in_head, int second) {
  return {name, in_head, Clock::time_point(std::chrono::seconds(second))};
}

TEST(Expendable, IdleOnesFirstAndTheLongestOfThem) {
  const std::vector<Expendable<const char>> all{candidate("d", true, 1), candidate("b", false, 7),
                                                candidate("e", true, 9), candidate("a", false, 3),
                                                candidate("c", false, 8)};
  for (const auto& [most, expected] : std::initializer_list<std::pair<std::size_t, const char*>>{
           {0, ""}, {1, "a"}, {3, "abc"}, {4, "abcd"}, {5, "abcde"}, {6, "abcde"}}) {
    auto some = all;
    keep_first(some, most);
    std::string names;
    for (const auto& each : some) names += *each.connection;
    EXPECT_EQ(names, expected) << most;
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge
