#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/config/keep_fixed.hpp"
#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// One app with these keys, each line of `more` a key of the main map.
std::string shop(const std::string& keys, const std::string& more = "") {
  return "apps: {shop: {command: [/srv/shop/bin/shop]" + keys + "}}\n" + more;
}

FakeSystem machine_of(const std::string& own) {
  FakeSystem system;
  system.own = own;
  system.environment_["XDG_RUNTIME_DIR"] = "/run/user/1";
  return system;
}

constexpr const char* kUnserved = "no listeners are configured: nothing is served";
constexpr const char* kUnreached = "main.yaml:1:8: apps.shop: no listener leads to this app";

TEST(AccountsAsRoot, EveryAppNeedsAUser) {
  const ConfigDir dir;
  EXPECT_THAT(dir.texts(dir.load(shop("")).errors),
              ElementsAre("main.yaml:1:8: apps.shop: expected the key \"user\": viaductd runs as "
                          "root"));
  EXPECT_THAT(dir.texts(dir.load(shop(", allow_root: true")).errors),
              ElementsAre("main.yaml:1:8: apps.shop: expected the key \"user\": viaductd runs as "
                          "root"));
}

TEST(AccountsAsRoot, RootItselfNeedsAllowRoot) {
  const ConfigDir dir;
  EXPECT_THAT(dir.texts(dir.load(shop(", user: root")).errors),
              ElementsAre("main.yaml:1:52: apps.shop.user: root is only allowed together with "
                          "allow_root: true"));
  EXPECT_TRUE(dir.load(shop(", user: root, allow_root: true")).settings);
}

TEST(AccountsAsRoot, GroupAndGroupsAreThoseOfTheUserUnlessWritten) {
  const ConfigDir dir;
  const auto account = [&](const std::string& keys) {
    const LoadResult result = dir.load(shop(keys));
    EXPECT_TRUE(result.settings) << keys;
    return result.settings ? result.settings->apps[0].identity.account : Account{};
  };
  EXPECT_EQ(account(", user: shop"),
            (Account{1001, 1001, {33, 1001}, "shop", "/home/shop", "/bin/sh"}));
  EXPECT_EQ(account(", user: shop, group: www-data").gid, 33u);
  EXPECT_THAT(account(", user: shop, group: www-data").groups, ElementsAre(33, 1001));
  EXPECT_THAT(account(", user: shop, groups: []").groups, IsEmpty());
  EXPECT_THAT(account(", user: shop, groups: [www-data, adm, adm]").groups, ElementsAre(4, 33));
}

TEST(AccountsAsRoot, TheBridgeIsViaductWhichHasToBeThere) {
  const ConfigDir dir;
  FakeSystem system;
  EXPECT_EQ(dir.load(shop(", user: shop"), system).settings->bridge.identity.account.uid, 101u);
  system.users.erase("viaduct");
  const LoadResult missing = dir.load(shop(", user: shop"), system);
  EXPECT_FALSE(missing.settings);
  ASSERT_EQ(missing.errors.size(), 1u);
  EXPECT_THAT(dir.texts(missing.errors)[0],
              AllOf(HasSubstr("bridge.user: no user named \"viaduct\""),
                    HasSubstr("systemd-sysusers"), HasSubstr("useradd --system")));
  EXPECT_TRUE(dir.load(shop(", user: shop", "bridge: {user: blog}\n"), system).settings);
}

TEST(AccountsAsRoot, TheUserOfTheBridgeIsItsOwn) {
  const ConfigDir dir;
  FakeSystem system;
  EXPECT_THAT(
      dir.texts(dir.load(shop(", user: shop", "bridge: {user: nobody}\n"), system).errors),
      ElementsAre("main.yaml:2:16: bridge.user: the bridge cannot run as uid 65534 (nobody), "
                  "which other programs use, too: expected a user of its own"));
  system.processes = {{33, "pid 812 (nginx)"}, {1001, "pid 9 (shop)"}};
  const LoadResult shared = dir.load(shop(", user: shop", "bridge: {user: www-data}\n"), system);
  EXPECT_TRUE(shared.settings);
  EXPECT_THAT(dir.texts(shared.warnings),
              Contains("main.yaml:2:16: bridge.user: user www-data runs other processes, too, for "
                       "instance pid 812 (nginx): a user of its own keeps the bridge from them"));
  EXPECT_THAT(dir.texts(dir.load(shop(", user: shop"), system).warnings),
              Not(Contains(HasSubstr("bridge.user"))));
}

TEST(AccountsAsRoot, NoAppSharesTheUserOfTheBridge) {
  const ConfigDir dir;
  EXPECT_THAT(dir.texts(dir.load(shop(", user: viaduct")).errors),
              ElementsAre("main.yaml:1:52: apps.shop.user: user viaduct is the user of the bridge, "
                          "which no app may share"));
}

TEST(AccountsAsRoot, OwnersGroupsAndPeersAreLookedUp) {
  const ConfigDir dir;
  const LoadResult result = dir.load(shop(", user: shop", R"(
control: {group: adm}
listeners:
  - {address: unix:/s, app: shop, owner: blog, group: www-data,
     allow: ["uid:www-data", "gid:adm", "uid:7"], trusted: ["gid:7"]}
)"));
  ASSERT_TRUE(result.settings) << dir.texts(result.errors)[0];
  const ListenerSettings& listener = result.settings->listeners[0];
  EXPECT_EQ(result.settings->control.gid, 4u);
  EXPECT_EQ(listener.uid, 1002u);
  EXPECT_EQ(listener.gid, 33u);
  EXPECT_EQ(listener.allow[0].id, 33u);
  EXPECT_EQ(listener.allow[1].id, 4u);
  EXPECT_EQ(listener.allow[2].id, 7u);
  EXPECT_EQ(listener.trusted[0].id, 7u);
}

TEST(AccountsOfOthers, EverythingRunsAsTheDaemon) {
  const ConfigDir dir;
  for (const char* keys :
       {"", ", user: shop", ", user: shop, group: shop", ", groups: [www-data, shop]"}) {
    const LoadResult result = dir.load(shop(keys), machine_of("shop"), Purpose::start);
    ASSERT_TRUE(result.settings) << dir.texts(result.errors)[0];
    EXPECT_EQ(result.settings->apps[0].identity.account.uid, 1001u);
    EXPECT_EQ(result.settings->bridge.identity.account.uid, 1001u);
  }
}

TEST(AccountsOfOthers, WhatOnlyRootCanDoIsAnErrorAndWithCheckAWarning) {
  struct Case {
    std::string yaml, message;
  };
  const std::string only_root = ": only root can change it, viaductd runs as shop";
  const std::string member =
      ": only root can give files to it, viaductd runs as shop, who is not a member";
  const std::string listener = "listeners: [{address: unix:/s, app: shop, ";
  for (const Case& c : std::vector<Case>{
           {shop(", user: blog"), "main.yaml:1:52: apps.shop.user: user blog" + only_root},
           {shop(", group: adm"), "main.yaml:1:53: apps.shop.group: group adm" + only_root},
           {shop(", groups: []"),
            "main.yaml:1:54: apps.shop.groups: a list that differs from its own" + only_root},
           {shop("", "bridge: {user: viaduct}"),
            "main.yaml:2:16: bridge.user: user viaduct" + only_root},
           {shop("", "control: {group: adm}"), "main.yaml:2:18: control.group: group adm" + member},
           {shop("", listener + "owner: blog}]"),
            "main.yaml:2:50: listeners[0].owner: owner blog: only root can give files away, "
            "viaductd runs as shop"},
           {shop("", listener + "group: adm}]"),
            "main.yaml:2:50: listeners[0].group: group adm" + member}}) {
    const ConfigDir dir;
    const FakeSystem system = machine_of("shop");
    const LoadResult started = dir.load(c.yaml, system, Purpose::start);
    EXPECT_FALSE(started.settings);
    EXPECT_THAT(dir.texts(started.errors), ElementsAre(c.message));
    EXPECT_THAT(dir.texts(dir.load(c.yaml, system, Purpose::reload).errors),
                ElementsAre(c.message));
    const LoadResult checked = dir.load(c.yaml, system, Purpose::check);
    EXPECT_TRUE(checked.settings) << c.yaml;
    EXPECT_THAT(dir.texts(checked.warnings), testing::Contains(c.message));
  }
}

TEST(AccountsOfOthers, GroupsOneIsAMemberOfMayHaveSockets) {
  const ConfigDir dir;
  const LoadResult result =
      dir.load(shop("", "listeners: [{address: unix:/s, app: shop, group: www-data}]\n"),
               machine_of("shop"), Purpose::start);
  ASSERT_TRUE(result.settings) << dir.texts(result.errors)[0];
  EXPECT_EQ(result.settings->listeners[0].gid, 33u);
}

TEST(KeepFixed, AReloadKeepsWhatItCannotChangeAndSaysSo) {
  const ConfigDir dir;
  const Settings running = *dir.load(shop(", user: shop")).settings;
  LoadResult next = keep_fixed(dir.load(shop(", user: shop",
                                             "runtime_dir: /run/other\ncontrol: {mode: 600}\n"
                                             "bridge: {user: blog, threads: 2}\n"
                                             "log: {level: debug}\n")),
                               running);
  ASSERT_TRUE(next.settings);
  EXPECT_THAT(
      dir.texts(next.warnings),
      ElementsAre(kUnserved, kUnreached,
                  "main.yaml:2:14: runtime_dir: a reload cannot change it; it stays as it is until "
                  "restart",
                  "main.yaml:3:10: control: a reload cannot change it; it stays as it is until "
                  "restart",
                  "main.yaml:4:16: bridge.user: a reload cannot change it; it stays as it is until "
                  "restart"));
  EXPECT_EQ(next.settings->runtime_dir, "/run/viaduct");
  EXPECT_EQ(next.settings->control, running.control);
  EXPECT_EQ(next.settings->bridge.identity, running.bridge.identity);
  EXPECT_EQ(next.settings->bridge.threads, 2u);
  EXPECT_EQ(next.settings->log.level, LogLevel::debug);
}

TEST(KeepFixed, AControlSocketAtItsDefaultPlaceIsNotMentionedTwice) {
  const ConfigDir dir;
  const Settings running = *dir.load(shop(", user: shop")).settings;
  const LoadResult next =
      keep_fixed(dir.load(shop(", user: shop", "runtime_dir: /run/other\n")), running);
  ASSERT_TRUE(next.settings);
  EXPECT_THAT(dir.texts(next.warnings),
              ElementsAre(kUnserved, kUnreached,
                          "main.yaml:2:14: runtime_dir: a reload cannot change it; it stays as it "
                          "is until restart"));
  EXPECT_EQ(next.settings->control, running.control);
}

TEST(KeepFixed, AnAppCannotTakeTheUserThatTheRunningBridgeKeeps) {
  const ConfigDir dir;
  const Settings running = *dir.load(shop(", user: shop")).settings;
  const LoadResult next =
      keep_fixed(dir.load(shop(", user: viaduct", "bridge: {user: blog}\n")), running);
  EXPECT_FALSE(next.settings);
  EXPECT_THAT(dir.texts(next.errors),
              ElementsAre("main.yaml:1:52: apps.shop.user: user viaduct is the user of the running "
                          "bridge, which no app may share"));
}

TEST(KeepFixed, NothingIsSaidWhenNothingDiffers) {
  const ConfigDir dir;
  const Settings running = *dir.load(shop(", user: shop")).settings;
  const LoadResult next = keep_fixed(dir.load(shop(", user: blog")), running);
  ASSERT_TRUE(next.settings);
  EXPECT_THAT(dir.texts(next.warnings), ElementsAre(kUnserved, kUnreached));
}

}  // namespace
}  // namespace viaduct::daemon::config
