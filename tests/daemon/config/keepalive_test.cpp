// Connections that are kept to servers of others: how many is for the configuration to say.
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "daemon/config/load.hpp"
#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Keepalive, KeptConnectionsWithoutALimitAreWarnedOf) {
  struct Row {
    std::string keys;
    bool warned;
  };
  for (const Row& row :
       {Row{"keepalive: true", true}, Row{"keepalive: true, multiplex: auto", true},
        Row{"keepalive: true, concurrency: {limit: 32}", false}, Row{"keepalive: false", false},
        Row{"concurrency: {limit: 4}", false}}) {
    ConfigDir dir;
    const LoadResult result = dir.load("apps:\n  shop: {connect: [unix:/x], " + row.keys +
                                       "}\nlisteners: [{address: unix:/s, app: shop}]\n");
    EXPECT_TRUE(result.settings) << row.keys;
    EXPECT_EQ(
        dir.texts(result.warnings),
        row.warned
            ? std::vector<
                  std::string>{"main.yaml:2:41: apps.shop.keepalive: up to 32 connections are kept "
                               "to each server without \"concurrency.limit\": expected as many as "
                               "it serves at once, PHP-FPM's pm.max_children"}
            : std::vector<std::string>{})
        << row.keys;
  }
}

TEST(Keepalive, KeptConnectionsAreWarnedOfInEveryApp) {
  const ConfigDir dir;
  const LoadResult result = dir.load(R"(
apps:
  one: {connect: [unix:/x, tcp:127.0.0.1:9000], keepalive: true}
  two: {connect: [tcp:127.0.0.1:9000], keepalive: true, concurrency: {limit: 4}}
  three: {connect: [tcp:php.example.org:9000], keepalive: true}
listeners:
  - {address: unix:/s, routes: [{path: /1, app: one}, {path: /2, app: two}, {path: /, app: three}]}
)");
  EXPECT_TRUE(result.settings);
  EXPECT_THAT(dir.texts(result.warnings),
              ElementsAre(HasSubstr("apps.one.keepalive: up to 32 connections are kept"),
                          HasSubstr("apps.three.keepalive: up to 32 connections are kept")));
}

// A setting that several apps have from `defaults` is warned of once.
TEST(Keepalive, KeptConnectionsAreWarnedOfInDefaults) {
  const std::pair<const char*, bool> rows[] = {
      {"keepalive: true", true},
      {"keepalive: true, concurrency: {limit: 4}", false},
  };
  for (const auto& [keys, warned] : rows) {
    const ConfigDir dir;
    const LoadResult result =
        dir.load(std::string("defaults: {") + keys +
                 "}\napps:\n  one: {connect: [unix:/x]}\n  two: {connect: [unix:/y]}\n"
                 "listeners: [{address: unix:/s, routes: [{path: /1, app: one}, {path: /, app: "
                 "two}]}]\n");
    EXPECT_TRUE(result.settings) << keys;
    ASSERT_EQ(result.warnings.size(), warned ? 1U : 0U) << keys;
    if (!warned) continue;
    EXPECT_THAT(dir.texts(result.warnings)[0], HasSubstr("main.yaml:1:23: apps.one"));
  }
}

}  // namespace
}  // namespace viaduct::daemon::config
