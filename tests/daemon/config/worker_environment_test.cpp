#include "daemon/config/worker_environment.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::config {
namespace {

AppSettings shop() {
  AppSettings app;
  app.identity.account = {1001, 1001, {}, "shop", "/home/shop", "/bin/bash"};
  return app;
}

const Environment kInherited = {{"PATH", "/opt/bin"},
                                {"LANG", "de_DE.UTF-8"},
                                {"LC_TIME", "C"},
                                {"TZ", "UTC"},
                                {"HOME", "/root"},
                                {"SECRET", "x"},
                                {"NOTIFY_SOCKET", "/n"},
                                {"LISTEN_FDS", "1"},
                                {"FDSTORE", "512"},
                                {"LISTEN_PID", "1"},
                                {"WATCHDOG_USEC", "100"},
                                {"VIADUCT_APP", "y"},
                                {"FCGI_WEB_SERVER_ADDRS", "127.0.0.1"}};

TEST(WorkerEnvironment, ClearingKeepsPathAndLocale) {
  const Environment expected = {{"PATH", "/opt/bin"}, {"LANG", "de_DE.UTF-8"}, {"LC_TIME", "C"},
                                {"TZ", "UTC"},        {"HOME", "/home/shop"},  {"USER", "shop"},
                                {"LOGNAME", "shop"},  {"SHELL", "/bin/bash"}};
  EXPECT_EQ(worker_environment(shop(), kInherited), expected);
}

TEST(WorkerEnvironment, WithoutClearingOnlyTheDaemonsOwnVariablesAreDropped) {
  AppSettings app = shop();
  app.clear_env = false;
  const Environment result = worker_environment(app, kInherited);
  EXPECT_EQ(result.at("SECRET"), "x");
  EXPECT_EQ(result.at("HOME"), "/home/shop");
  for (const char* name : {"NOTIFY_SOCKET", "FDSTORE", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC",
                           "VIADUCT_APP", "FCGI_WEB_SERVER_ADDRS"})
    EXPECT_FALSE(result.contains(name)) << name;
}

TEST(WorkerEnvironment, FilesWinOverEnvAndEnvOverEverything) {
  AppSettings app = shop();
  app.env = {{"HOME", "/srv"}, {"TOKEN", "from env"}};
  app.env_file_values = {{"TOKEN", "first"}, {"TOKEN", "second"}};
  const Environment result = worker_environment(app, kInherited);
  EXPECT_EQ(result.at("HOME"), "/srv");
  EXPECT_EQ(result.at("TOKEN"), "second");
}

TEST(WorkerEnvironment, ThereIsAlwaysAPath) {
  EXPECT_EQ(worker_environment(shop(), {}).at("PATH"), kDefaultSearchPath);
}

}  // namespace
}  // namespace viaduct::daemon::config
