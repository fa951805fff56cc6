#include "daemon/master/bridge_logs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/master/start_error.hpp"
#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

using Kind = config::LogTarget::Kind;
using channel::LogTarget;

TEST(BridgeLogsTest, WhatGoesWhereTheDaemonsLogGoesIsNotListed) {
  config::Settings settings;
  settings.access_log.to = {Kind::file, "/var/log/access"};
  settings.apps.resize(4);
  settings.apps[0].log = {Kind::inherit, {}};
  settings.apps[1].log = {Kind::journal, {}};
  settings.apps[2].log = {Kind::file, "/var/log/shop"};
  settings.apps[2].slow_log = "/var/log/slow";
  settings.apps[3].log = {Kind::standard_error, {}};
  const auto logs = bridge_logs_of(settings);
  ASSERT_EQ(logs.size(), 4u);
  EXPECT_EQ(logs[0].target, LogTarget::access);
  EXPECT_EQ(logs[0].to.path, "/var/log/access");
  EXPECT_EQ(logs[1].target, LogTarget::app);
  EXPECT_EQ(logs[1].app, 2u);
  EXPECT_EQ(logs[2].target, LogTarget::slow);
  EXPECT_EQ(logs[2].app, 2u);
  EXPECT_EQ(logs[2].to.path, "/var/log/slow");
  EXPECT_EQ(logs[3].target, LogTarget::app);
  EXPECT_EQ(logs[3].app, 3u);
}

TEST(BridgeLogsTest, AnAccessLogOfAnyKindIsListed) {
  config::Settings settings;
  for (const Kind kind : {Kind::standard_error, Kind::journal, Kind::syslog, Kind::file}) {
    settings.access_log.to = {kind, "/var/log/access"};
    const auto logs = bridge_logs_of(settings);
    ASSERT_EQ(logs.size(), 1u);
    EXPECT_EQ(logs[0].to.kind, kind);
  }
  settings.access_log.to = {Kind::off, {}};
  EXPECT_TRUE(bridge_logs_of(settings).empty());
}

class OpenBridgeLogs : public ::testing::Test {
 protected:
  OpenBridgeLogs() {
    settings_.log.to = {Kind::file, directory_ / "daemon"};
    settings_.access_log.to = {Kind::file, directory_ / "access"};
    settings_.bridge.threads = 3;
    settings_.apps.resize(2);
    settings_.apps[1].log = {Kind::file, directory_ / "app"};
    settings_.apps[1].slow_log = directory_ / "slow";
  }
  std::string content(const std::string& name) {
    std::stringstream text;
    text << std::ifstream(directory_ / name).rdbuf();
    return text.str();
  }
  static bool is_pipe(const UniqueFd& descriptor) {
    struct stat status {};
    return ::fstat(descriptor.get(), &status) == 0 && S_ISFIFO(status.st_mode);
  }

  TemporaryDirectory directory_;
  config::Settings settings_;
};

TEST_F(OpenBridgeLogs, ABridgeGetsAPipeForEachThreadsAccessLogAndEachOtherLog) {
  {
    LogCopier copier;
    BridgeLogs logs(copier, settings_);
    const UniqueFd daemon = logs.daemon_pipe();
    EXPECT_TRUE(is_pipe(daemon));
    ASSERT_EQ(::write(daemon.get(), "d\n", 2), 2);
    std::multiset<std::pair<LogTarget, std::uint32_t>> told;
    logs.introduce([&](const channel::Message& message, UniqueFd descriptor) {
      EXPECT_EQ(message.type, channel::Type::log_target);
      EXPECT_TRUE(is_pipe(descriptor));
      ASSERT_EQ(::write(descriptor.get(), "x\n", 2), 2);
      told.emplace(message.target, message.app);
    });
    const std::multiset<std::pair<LogTarget, std::uint32_t>> all{{LogTarget::access, 0},
                                                                 {LogTarget::access, 1},
                                                                 {LogTarget::access, 2},
                                                                 {LogTarget::app, 1},
                                                                 {LogTarget::slow, 1}};
    EXPECT_EQ(told, all);
  }
  EXPECT_EQ(content("daemon"), "d\n");
  EXPECT_EQ(content("access"), "x\nx\nx\n");
  EXPECT_EQ(content("app"), "x\n");
  EXPECT_EQ(content("slow"), "x\n");
}

TEST_F(OpenBridgeLogs, EveryFileIsOpenedAnewAndOneThatCannotBeIsNamed) {
  {
    LogCopier copier;
    BridgeLogs logs(copier, settings_);
    const UniqueFd daemon = logs.daemon_pipe();
    for (const char* const name : {"daemon", "access", "slow", "app"}) {
      ASSERT_EQ(::rename((directory_ / name).c_str(), (directory_ / name + ".1").c_str()), 0);
    }
    // A directory cannot be a log.
    ASSERT_EQ(::mkdir((directory_ / "slow").c_str(), 0700), 0);
    const auto failures = logs.reopen();
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_NE(failures[0].find(directory_ / "slow"), std::string::npos) << failures[0];
    ASSERT_EQ(::write(daemon.get(), "after\n", 6), 6);
    logs.introduce([](const channel::Message&, UniqueFd descriptor) {
      ASSERT_EQ(::write(descriptor.get(), "x\n", 2), 2);
    });
  }
  EXPECT_EQ(content("daemon"), "after\n");
  EXPECT_EQ(content("access"), "x\nx\nx\n");
  EXPECT_EQ(content("app"), "x\n");
  EXPECT_EQ(content("slow.1"), "x\n") << "its lines go to where they went";
}

TEST_F(OpenBridgeLogs, OneThatCannotBeOpenedIsNamedAtOnce) {
  settings_.apps[1].slow_log = directory_ / "nowhere/slow";
  LogCopier copier;
  try {
    const BridgeLogs logs(copier, settings_);
    FAIL() << "opened";
  } catch (const StartError& error) {
    EXPECT_NE(std::string(error.what()).find("slow_log"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("nowhere/slow"), std::string::npos) << error.what();
    EXPECT_EQ(error.error(), ENOENT);
  }
}

TEST_F(OpenBridgeLogs, WithJournalOrSyslogABridgeHasNoPipeForItsLog) {
  for (const Kind kind : {Kind::journal, Kind::syslog}) {
    settings_.log.to = {kind, {}};
    LogCopier copier;
    EXPECT_FALSE(BridgeLogs(copier, settings_).daemon_pipe());
  }
}

}  // namespace
}  // namespace viaduct::daemon::master
