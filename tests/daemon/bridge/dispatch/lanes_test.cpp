#include "daemon/bridge/dispatch/lanes.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using config::Priority;

config::BridgeSettings settings() {
  config::BridgeSettings settings;
  settings.listeners.resize(2);
  settings.listeners[0].routes = {
      {.path = "/a", .app = "shop", .limit = 3},
      {.path = "/b", .app = "blog", .priority = Priority::low, .limit = 5},
      {.path = "/c", .app = "shop", .priority = Priority::high},
      {.path = "/", .app = "shop"}};
  settings.listeners[1].routes = {
      {.path = "/d", .app = "shop", .priority = Priority::low, .limit = 7},
      {.path = "/e", .app = "shop", .priority = Priority::low}};
  return settings;
}

TEST(Lanes, OneForEachPriorityAndForEachRouteWithALimit) {
  const auto lanes = lanes_of(settings(), "shop");
  struct Row {
    Priority priority;
    std::uint32_t limit;
  };
  const Row rows[] = {{Priority::high, 0},
                      {Priority::normal, 0},
                      {Priority::low, 0},
                      {Priority::normal, 3},
                      {Priority::low, 7}};
  ASSERT_EQ(lanes.size(), std::size(rows));
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    EXPECT_EQ(lanes[i].priority(), rows[i].priority) << i;
    EXPECT_EQ(lanes[i].limit(), rows[i].limit) << i;
  }
  EXPECT_EQ(lanes_of(settings(), "blog").size(), 4u);
  EXPECT_EQ(lanes_of(settings(), "idle").size(), 3u);
}

TEST(Lanes, EachRouteQueuesInOneOfItsApp) {
  struct Row {
    std::size_t listener, route;
    std::uint32_t lane;
  };
  for (const Row& row :
       {Row{0, 0, 3}, Row{0, 1, 3}, Row{0, 2, 0}, Row{0, 3, 1}, Row{1, 0, 4}, Row{1, 1, 2}}) {
    EXPECT_EQ(lane_of(settings(), row.listener, row.route), row.lane)
        << row.listener << ' ' << row.route;
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge
