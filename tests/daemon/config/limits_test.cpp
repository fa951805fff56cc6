// How much of everything a configuration may hold: at, below and above each limit.

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kShop = "apps: {shop: {command: [/srv/shop/bin/shop], user: shop}}\n";

// `make(n)` is a configuration with n of something; `message` what n = limit + 1 is told.
void expect_limit(int limit, const std::function<std::string(int)>& make,
                  const std::string& message) {
  for (const int count : {limit - 1, limit, limit + 1}) {
    const ConfigDir dir;
    const auto errors = dir.texts(dir.load(make(count)).errors);
    if (count <= limit)
      EXPECT_THAT(errors, IsEmpty()) << count;
    else
      EXPECT_THAT(errors, ElementsAre(message)) << count;
  }
}

std::string repeat(int count, const std::function<std::string(std::string)>& item) {
  std::string text;
  for (int index = 0; index < count; ++index) text += item(std::to_string(index)) + "\n";
  return text;
}

TEST(Limits, AppsOfOneFile) {
  expect_limit(
      1024,
      [](int count) {
        return "defaults: {user: shop, command: [/srv/shop/bin/shop]}\napps:\n" +
               repeat(count, [](const std::string& n) { return "  a" + n + ": {}"; });
      },
      "main.yaml:3:3: apps: at most 1024 keys are allowed");
}

TEST(Limits, RequestsOfARoute) {
  for (const char* const limit : {"0", "999999", "1000000"}) {
    const ConfigDir dir;
    const auto result = dir.load("listeners: [{address: unix:/s, routes: [{app: shop, limit: " +
                                 std::string(limit) + "}]}]\n" + kShop);
    EXPECT_THAT(dir.texts(result.errors), IsEmpty()) << limit;
  }
}

TEST(Limits, DeathsOfWorkers) {
  for (const int deaths : {0, 99, 100, 101}) {
    const ConfigDir dir;
    const auto errors =
        dir.texts(dir.load("apps: {shop: {command: [/srv/shop/bin/shop], user: shop, poison: "
                           "{deaths: " +
                           std::to_string(deaths) + ", within: 1s, closed: 5m}}}")
                      .errors);
    if (deaths <= 100)
      EXPECT_THAT(errors, IsEmpty()) << deaths;
    else
      EXPECT_THAT(errors, ElementsAre("main.yaml:1:75: apps.shop.poison.deaths: expected a whole "
                                      "number from 0 to 100"));
  }
}

TEST(Limits, AppsOfAllFiles) {
  for (const int more : {1, 2}) {
    const ConfigDir dir;
    dir.write("a.yaml",
              "apps:\n" + repeat(1023, [](const std::string& n) { return "  a" + n + ":"; }));
    dir.write("b.yaml",
              "apps:\n" + repeat(more, [](const std::string& n) { return "  b" + n + ":"; }));
    const auto errors = dir.texts(dir.load("include: [a.yaml, b.yaml]\n"
                                           "defaults: {user: shop, command: [/srv/shop/bin/shop]}")
                                      .errors);
    if (more == 1)
      EXPECT_THAT(errors, IsEmpty());
    else
      EXPECT_THAT(errors, ElementsAre("b.yaml:3:3: apps.b1: at most 1024 apps are allowed"));
  }
}

TEST(Limits, Listeners) {
  expect_limit(
      256,
      [](int count) {
        return kShop + "listeners:\n" + repeat(count, [](const std::string& n) {
                 return "  - {address: unix:/s" + n + ", app: shop}";
               });
      },
      "main.yaml:259:5: listeners[256]: at most 256 listeners are allowed");
}

TEST(Limits, RoutesOfOneListener) {
  expect_limit(
      1024,
      [](int count) {
        return kShop + "listeners:\n  - address: unix:/s\n    routes:\n" +
               repeat(count, [](const std::string& n) {
                 return "      - {path: /p" + n + ", app: shop}";
               });
      },
      "main.yaml:5:7: listeners[0].routes: at most 1024 items are allowed");
}

TEST(Limits, ArgumentsOfACommand) {
  expect_limit(
      1024,
      [](int count) {
        return "apps:\n  shop:\n    user: shop\n    command:\n    - /srv/shop/bin/shop\n" +
               repeat(count - 1, [](const std::string& n) { return "    - x" + n; });
      },
      "main.yaml:5:5: apps.shop.command: at most 1024 items are allowed");
}

TEST(Limits, EnvironmentVariables) {
  expect_limit(
      1024,
      [](int count) {
        return "apps:\n  shop:\n    user: shop\n    command: [/srv/shop/bin/shop]\n    env:\n" +
               repeat(count, [](const std::string& n) { return "      V" + n + ": x"; });
      },
      "main.yaml:6:7: apps.shop.env: at most 1024 keys are allowed");
}

TEST(Limits, BytesOfOneValue) {
  expect_limit(
      32'768,
      [](int count) {
        return "apps: {shop: {user: shop, command: [/srv/shop/bin/shop, " +
               std::string(static_cast<std::size_t>(count), 'x') + "]}}\n";
      },
      "main.yaml:1:57: apps.shop.command[1]: at most 32768 bytes are allowed");
}

TEST(Limits, NamesOfApps) {
  expect_limit(
      64,
      [](int count) {
        return "apps: {" + std::string(static_cast<std::size_t>(count), 'a') +
               ": {user: shop, command: [/srv/shop/bin/shop]}}\n";
      },
      "main.yaml:1:8: apps." + std::string(65, 'a') +
          ": expected a name of 1 to 64 letters, digits, - and _");
}

TEST(Limits, PathsOfSockets) {
  expect_limit(
      107,
      [](int count) {
        return kShop + "listeners: [{app: shop, address: 'unix:/" +
               std::string(static_cast<std::size_t>(count - 1), 's') + "'}]\n";
      },
      "main.yaml:2:34: listeners[0].address: socket paths have at most 107 bytes");
}

TEST(Limits, TheRuntimeDirectory) {
  expect_limit(
      80,
      [](int count) {
        return "runtime_dir: /" + std::string(static_cast<std::size_t>(count - 1), 'r') + "\n";
      },
      "main.yaml:1:14: runtime_dir: at most 80 bytes are allowed: the paths of sockets below it "
      "have a limit");
}

TEST(Limits, NestingEndsTheParserNotTheProcess) {
  const ConfigDir dir;
  const LoadResult result = dir.load("include: " + std::string(100'000, '['));
  EXPECT_FALSE(result.settings);
  EXPECT_EQ(result.errors.size(), 1u);
}

}  // namespace
}  // namespace viaduct::daemon::config
