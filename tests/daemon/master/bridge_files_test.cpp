#include "daemon/master/bridge_files.hpp"

#include <fcntl.h>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

TEST(BridgeFilesTest, OnlyFilesAreOpenedForTheBridge) {
  using Kind = config::LogTarget::Kind;
  config::Settings settings;
  settings.access_log.to = {Kind::file, "/var/log/access"};
  settings.apps.resize(3);
  settings.apps[1].log = {Kind::journal, {}};
  settings.apps[2].log = {Kind::file, "/var/log/shop"};
  settings.apps[2].slow_log = "/var/log/slow";
  const auto files = bridge_log_files(settings);
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0].target, channel::LogTarget::access);
  EXPECT_EQ(files[0].to.path, "/var/log/access");
  EXPECT_EQ(files[1].target, channel::LogTarget::app);
  EXPECT_EQ(files[1].app, 2u);
  EXPECT_EQ(files[2].target, channel::LogTarget::slow);
  EXPECT_EQ(files[2].app, 2u);
  EXPECT_EQ(files[2].to.path, "/var/log/slow");
}

TEST(BridgeFilesTest, AnAccessLogOfAnyKindIsOpened) {
  using Kind = config::LogTarget::Kind;
  config::Settings settings;
  for (const Kind kind : {Kind::standard_error, Kind::journal, Kind::syslog, Kind::file}) {
    settings.access_log.to = {kind, "/var/log/access"};
    const auto files = bridge_log_files(settings);
    ASSERT_EQ(files.size(), 1u);
    EXPECT_EQ(files[0].to.kind, kind);
  }
  settings.access_log.to = {Kind::off, {}};
  EXPECT_TRUE(bridge_log_files(settings).empty());
}

TEST(BridgeFilesTest, StandardErrorIsDuplicated) {
  const UniqueFd descriptor = open_log({config::LogTarget::Kind::standard_error, {}});
  EXPECT_GT(descriptor.get(), 2);
  EXPECT_NE(::fcntl(descriptor.get(), F_GETFD) & FD_CLOEXEC, 0);
}

}  // namespace
}  // namespace viaduct::daemon::master
