#include "daemon/bridge/memory/giving_up.hpp"

#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using Holding = GivingUp::Holding;

std::vector<std::size_t> order_of(std::vector<Holding> holdings) {
  GivingUp giving_up(std::move(holdings));
  std::vector<std::size_t> order;
  while (const auto next = giving_up.next()) order.push_back(*next);
  EXPECT_EQ(giving_up.next(), std::nullopt);
  return order;
}

TEST(GivingUp, Order) {
  struct Row {
    const char* name;
    std::vector<Holding> holdings;
    std::vector<std::size_t> order;
  };
  const Row rows[] = {
      {"nothing", {}, {}},
      {"the largest first", {{10}, {30}, {20}}, {1, 2, 0}},
      {"the slowest of those that are gathered, whatever their size",
       {{30, 5.0}, {20, 1.0}, {10, 3.0}},
       {1, 2, 0}},
      {"a rate of nothing is the slowest", {{10, 0.5}, {10, 0.0}}, {1, 0}},
      {"equally slow: the larger", {{10, 1.0}, {30, 1.0}, {20, 1.0}}, {1, 2, 0}},
      {"another is larger: no gathered one pays for it", {{20, 1.0}, {30}}, {1, 0}},
      {"a gathered one is larger: the slowest of them goes, though it is the smallest of all",
       {{10, 1.0}, {20}, {30, 9.0}},
       {0, 1, 2}},
      {"mixed", {{50, 9.0}, {40}, {30, 2.0}, {25}, {20, 4.0}, {5}}, {2, 1, 4, 3, 0, 5}},
  };
  for (const Row& row : rows) EXPECT_EQ(order_of(row.holdings), row.order) << row.name;
}

}  // namespace
}  // namespace viaduct::daemon::bridge
