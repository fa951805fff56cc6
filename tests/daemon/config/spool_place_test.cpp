#include "daemon/config/spool_place.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using testing::ElementsAre;

const std::string kShop = "apps: {shop: {command: [/srv/shop/bin/shop], user: shop}}\n";

TEST(SpoolPlace, AsConfiguredElseOfTheEnvironmentElseTmp) {
  FakeSystem system;
  Settings settings;
  EXPECT_EQ(spool_place(settings, system).directory, "/tmp");
  system.environment_["TMPDIR"] = "";
  EXPECT_EQ(spool_place(settings, system).directory, "/tmp");
  system.environment_["TMPDIR"] = "/scratch";
  EXPECT_EQ(spool_place(settings, system).directory, "/scratch");
  settings.bridge.spool = "/var/spool";
  EXPECT_EQ(spool_place(settings, system).directory, "/var/spool");
  EXPECT_FALSE(spool_place(settings, system).in_memory);
  system.memory.insert("/var/spool");
  EXPECT_TRUE(spool_place(settings, system).in_memory);
}

TEST(SpoolPlace, HasToBeWritableByTheBridge) {
  FakeSystem system;
  system.add_file("/var", S_IFDIR | 0755);
  system.add_file("/var/open", S_IFDIR | 01777);
  system.add_file("/var/own", S_IFDIR | 0700, 101);
  system.add_file("/var/closed", S_IFDIR | 0755);
  for (const auto& [place, wrong] :
       std::initializer_list<std::pair<std::string, bool>>{{"\"\"", false},
                                                           {"/var/open", false},
                                                           {"/var/own", false},
                                                           {"/var/closed", true},
                                                           {"/var/missing", true},
                                                           {"/srv/shop/bin/shop", true}}) {
    const ConfigDir dir;
    const auto result =
        dir.load("bridge: {spool: " + place + "}\n" + kShop, system, Purpose::start);
    const auto errors = dir.texts(result.errors);
    EXPECT_EQ(errors.size(), wrong ? 1u : 0u) << place;
    if (wrong) {
      EXPECT_THAT(errors, ElementsAre(testing::StartsWith("main.yaml:1:17: bridge.spool: " + place +
                                                          ": ")));
    }
  }
}

TEST(SpoolPlace, MayBeMissingWhereTheConfigurationIsOnlyChecked) {
  const ConfigDir dir;
  const auto result = dir.load("bridge: {spool: /missing}\n" + kShop, FakeSystem());
  EXPECT_TRUE(result.settings);
  EXPECT_THAT(dir.texts(result.warnings),
              testing::Contains("main.yaml:1:17: bridge.spool: /missing: No such file or directory "
                                "(ENOENT)"));
}

TEST(SpoolPlace, InMemoryIsWarnedAbout) {
  FakeSystem system;
  const ConfigDir dir;
  const auto said = testing::HasSubstr("bridge.spool: /tmp is in memory (tmpfs)");
  EXPECT_THAT(dir.texts(dir.load(kShop, system).warnings), testing::Not(testing::Contains(said)));
  system.memory.insert("/tmp");
  EXPECT_THAT(dir.texts(dir.load(kShop, system).warnings), testing::Contains(said));
}

}  // namespace
}  // namespace viaduct::daemon::config
