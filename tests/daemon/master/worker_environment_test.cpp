#include "daemon/master/worker_environment.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

config::AppSettings shop() {
  config::AppSettings app;
  app.name = "shop";
  app.identity.account = {
      .uid = 1, .gid = 1, .groups = {}, .name = "shop", .home = "/srv/shop", .shell = "/bin/sh"};
  return app;
}

TEST(WorkerEnvironmentTest, TellsTheSdkWhereItRuns) {
  config::AppSettings app = shop();
  const auto plain = worker_environment(app, "shop/1", 7, {});
  EXPECT_EQ(plain.at("VIADUCT_APP"), "shop");
  EXPECT_EQ(plain.at("VIADUCT_WORKER"), "shop/1");
  EXPECT_EQ(plain.at("VIADUCT_WORKER_SERIAL"), "7");
  EXPECT_FALSE(plain.contains("VIADUCT_MODEL")) << "the application's own choice";
  EXPECT_FALSE(plain.contains("VIADUCT_LIMIT"));
  EXPECT_EQ(plain.at("VIADUCT_STOP_MS"), "29000") << "a second before it would be killed";
  app.timeouts.stop = std::chrono::milliseconds(500);
  EXPECT_EQ(worker_environment(app, "shop/1", 7, {}).at("VIADUCT_STOP_MS"), "450");
  app.timeouts.stop = {};
  EXPECT_FALSE(worker_environment(app, "shop/1", 7, {}).contains("VIADUCT_STOP_MS"));

  app.concurrency = {config::ConcurrencyModel::fibers, 1000};
  const auto fibers = worker_environment(app, "shop/1", 7, {});
  EXPECT_EQ(fibers.at("VIADUCT_MODEL"), "fibers");
  EXPECT_EQ(fibers.at("VIADUCT_LIMIT"), "1000");
  app.concurrency.model = config::ConcurrencyModel::threads;
  EXPECT_EQ(worker_environment(app, "shop/1", 7, {}).at("VIADUCT_MODEL"), "threads");
}

TEST(WorkerEnvironmentTest, SendFileIsTheWorkersToObey) {
  config::AppSettings app = shop();
  EXPECT_FALSE(worker_environment(app, "shop/1", 7, {}).contains("VIADUCT_SEND_FILE"));
  app.send_file = config::SendFile::x_accel_redirect;
  EXPECT_EQ(worker_environment(app, "shop/1", 7, {}).at("VIADUCT_SEND_FILE"), "x-accel-redirect");
  app.send_file = config::SendFile::x_sendfile;
  EXPECT_EQ(worker_environment(app, "shop/1", 7, {}).at("VIADUCT_SEND_FILE"), "x-sendfile");
}

TEST(WorkerEnvironmentTest, DaemonsOwnConversationIsNotInherited) {
  const config::Environment daemon = {
      {"PATH", "/bin"},          {"LC_ALL", "C"},        {"SECRET", "x"},
      {"NOTIFY_SOCKET", "/run"}, {"LISTEN_FDS", "1"},    {"LISTEN_PID", "1"},
      {"WATCHDOG_USEC", "1"},    {"VIADUCT_APP", "old"}, {"FCGI_WEB_SERVER_ADDRS", "10.0.0.1"}};
  config::AppSettings app = shop();
  for (const bool clear : {true, false}) {
    app.clear_env = clear;
    const auto environment = worker_environment(app, "shop/2", 7, daemon);
    for (const char* name :
         {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC", "FCGI_WEB_SERVER_ADDRS"}) {
      EXPECT_FALSE(environment.contains(name)) << name;
    }
    EXPECT_EQ(environment.contains("SECRET"), !clear);
    EXPECT_EQ(environment.at("PATH"), "/bin");
    EXPECT_EQ(environment.at("LC_ALL"), "C");
    EXPECT_EQ(environment.at("HOME"), "/srv/shop");
    EXPECT_EQ(environment.at("VIADUCT_APP"), "shop");
  }
}

// The daemon's environment may hold passwords; a bridge in other hands reads its own.
TEST(WorkerEnvironmentTest, BridgeGetsWhatItNeedsAndNothingElse) {
  const config::Environment wanted = {{"PATH", "/bin"},     {"LANG", "C.UTF-8"},
                                      {"LC_ALL", "C"},      {"LC_TIME", "de_DE"},
                                      {"TZ", "UTC"},        {"TMPDIR", "/var/tmp"},
                                      {"RES_OPTIONS", "x"}, {"LOCALDOMAIN", "example.org"}};
  config::Environment all = wanted;
  for (const char* name : {"NOTIFY_SOCKET", "FDSTORE", "LISTEN_FDS", "WATCHDOG_PID", "HOME", "USER",
                           "DATABASE_PASSWORD", "LD_PRELOAD", "LANGUAGE", "PATHS", "VIADUCT_APP"}) {
    all[name] = "x";
  }
  EXPECT_EQ(bridge_environment(all), wanted);
}

TEST(WorkerEnvironmentTest, StringsAreThoseOfExec) {
  EXPECT_EQ(to_strings({{"A", "1"}, {"B", "x=y"}}), (std::vector<std::string>{"A=1", "B=x=y"}));
}

}  // namespace
}  // namespace viaduct::daemon::master
