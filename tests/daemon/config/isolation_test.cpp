#include "daemon/config/isolation.hpp"

#include <linux/capability.h>

#include <cerrno>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/config/dump.hpp"
#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string yaml(const std::string& isolation, const std::string& command = "/srv/shop/bin/shop") {
  return "listeners: [{address: unix:/run/web.sock, app: shop}]\napps:\n  shop:\n    command: [" +
         command + "]\n    user: shop\n    isolation: {" + isolation + "}\n";
}

TEST(Isolation, ChangesNothingWhenLeftOut) {
  const ConfigDir dir;
  const LoadResult result = dir.load(yaml(""));
  ASSERT_TRUE(result.settings);
  EXPECT_EQ(result.settings->apps[0].isolation, Isolation());
  EXPECT_THAT(dump(*result.settings), Not(HasSubstr("capabilities")));
}

constexpr const char* kAll =
    "chroot: /srv/shop, nice: -5, cpus: [0, 3], no_new_privs: false, capabilities: [CAP_KILL, "
    "CAP_BPF], private_tmp: true, read_only: [/bin], memory: 64MiB, cpu: 150, pids: 20, nofile: "
    "4096, core: 0, optional: true";

TEST(Isolation, IsReadWithAllKeys) {
  const ConfigDir dir;
  const LoadResult result = dir.load(yaml(kAll, "/bin/shop"), FakeSystem(), Purpose::start);
  EXPECT_THAT(dir.texts(result.errors), IsEmpty());
  EXPECT_THAT(dir.texts(result.warnings), IsEmpty());
  ASSERT_TRUE(result.settings);
  Isolation expected;
  expected.chroot = "/srv/shop";
  expected.nice = -5;
  expected.cpus = {0, 3};
  expected.no_new_privs = false;
  expected.capabilities = {CAP_KILL, CAP_BPF};
  expected.private_tmp = true;
  expected.read_only = {"/bin"};
  expected.memory = 64 << 20;
  expected.cpu = 150;
  expected.pids = 20;
  expected.nofile = 4096;
  expected.core = 0;
  expected.optional = true;
  EXPECT_EQ(result.settings->apps[0].isolation, expected);
}

TEST(Isolation, IsPrintedSoThatItReadsTheSame) {
  const ConfigDir dir;
  const LoadResult first = dir.load(yaml(kAll, "/bin/shop"));
  ASSERT_TRUE(first.settings);
  const std::string text = dump(*first.settings);
  EXPECT_THAT(text, HasSubstr("      capabilities: [CAP_KILL, CAP_BPF]  # "));
  const LoadResult second = dir.load(text);
  ASSERT_TRUE(second.settings) << text;
  EXPECT_EQ(second.settings->apps[0].isolation, first.settings->apps[0].isolation);
}

TEST(Isolation, DefaultsAreMergedKeyByKey) {
  const ConfigDir dir;
  const LoadResult result =
      dir.load("defaults: {isolation: {nice: 5, nofile: 100}}\n" + yaml("nice: 6"));
  ASSERT_TRUE(result.settings);
  EXPECT_EQ(result.settings->apps[0].isolation.nice, 6);
  EXPECT_EQ(result.settings->apps[0].isolation.nofile, 100u);
}

TEST(Isolation, CommandAndDirectoryAreLookedForInsideTheRoot) {
  const ConfigDir dir;
  FakeSystem system;
  const LoadResult inside =
      dir.load(yaml("chroot: /srv/shop", "/bin/shop"), system, Purpose::start);
  EXPECT_THAT(dir.texts(inside.warnings), IsEmpty());
  ASSERT_TRUE(inside.settings);
  EXPECT_EQ(inside.settings->apps[0].executable, "/bin/shop");
  EXPECT_EQ(inside.settings->apps[0].directory, "/");
  EXPECT_TRUE(inside.settings->apps[0].command_file);

  const LoadResult outside = dir.load(yaml("chroot: /srv/shop"), system, Purpose::reload);
  EXPECT_THAT(dir.texts(outside.errors),
              ElementsAre("shop: exec /srv/shop/bin/shop in /srv/shop: No such file or directory "
                          "(ENOENT): /srv does not exist"));

  system.environment_["PATH"] = "/usr/bin:/bin";
  const LoadResult found = dir.load(yaml("chroot: /srv/shop", "shop"), system, Purpose::start);
  ASSERT_TRUE(found.settings);
  EXPECT_EQ(found.settings->apps[0].executable, "/bin/shop");
}

TEST(Isolation, TheSlashAsRootIsNone) {
  const ConfigDir dir;
  const LoadResult result = dir.load(yaml("chroot: /"));
  ASSERT_TRUE(result.settings);
  EXPECT_EQ(result.settings->apps[0].isolation.chroot, "");
}

TEST(Isolation, MistakesAreErrorsEvenWhenOptional) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"niec: 5", "main.yaml:6:17: apps.shop.isolation.niec: unknown key; did you mean \"nice\"?"},
      {"nice: 20",
       "main.yaml:6:23: apps.shop.isolation.nice: expected a whole number from -20 to 19"},
      {"nice: -21",
       "main.yaml:6:23: apps.shop.isolation.nice: expected a whole number from -20 to 19"},
      {"cpus: 1", "main.yaml:6:23: apps.shop.isolation.cpus: expected a list, found text"},
      {"cpus: [1024]",
       "main.yaml:6:24: apps.shop.isolation.cpus[0]: expected a whole number from 0 to 1023"},
      {"no_new_privs: 1",
       "main.yaml:6:31: apps.shop.isolation.no_new_privs: expected true or false"},
      {"capabilities: [CAP_NET_BIND_SERVICES]",
       "main.yaml:6:32: apps.shop.isolation.capabilities[0]: expected a capability such as "
       "CAP_NET_BIND_SERVICE; did you mean \"CAP_NET_BIND_SERVICE\"?"},
      {"read_only: /etc",
       "main.yaml:6:28: apps.shop.isolation.read_only: expected a list, found text"},
      {"read_only: [/srv, /none]",
       "main.yaml:6:35: apps.shop.isolation.read_only[1]: /none: No such file or directory "
       "(ENOENT)"},
      {"chroot: [/srv]",
       "main.yaml:6:25: apps.shop.isolation.chroot: expected a path, found a list"},
      {"chroot: /none",
       "main.yaml:6:25: apps.shop.isolation.chroot: /none: No such file or directory (ENOENT)"},
      {"chroot: /srv/shop/bin/shop",
       "main.yaml:6:25: apps.shop.isolation.chroot: /srv/shop/bin/shop is not a directory"},
      {"memory: 1048575",
       "main.yaml:6:25: apps.shop.isolation.memory: expected at least 1MiB, or 0 for no limit"},
      {"memory: 50%",
       "main.yaml:6:25: apps.shop.isolation.memory: expected a size such as 64KiB or 16MiB"},
      {"cpu: 102401",
       "main.yaml:6:22: apps.shop.isolation.cpu: expected a whole number from 0 to 102400"},
      {"pids: 4194305",
       "main.yaml:6:23: apps.shop.isolation.pids: expected a whole number from 0 to 4194304"},
      {"nofile: 15",
       "main.yaml:6:25: apps.shop.isolation.nofile: expected at least 16, or 0 for the limit of "
       "viaductd"},
      {"core: many",
       "main.yaml:6:23: apps.shop.isolation.core: expected a size such as 64KiB or 16MiB"},
  };
  for (const auto& [keys, message] : rows) {
    const ConfigDir dir;
    FakeSystem system;
    system.add_file("/srv/shop/bin/shop/srv/shop/bin/shop", S_IFREG | 0755);
    const LoadResult result = dir.load(yaml(keys + ", optional: true"), system, Purpose::start);
    EXPECT_FALSE(result.settings);
    EXPECT_THAT(dir.texts(result.errors), ElementsAre(message)) << keys;
  }
}

struct Unavailable {
  std::string keys;
  std::function<void(FakeProbe&)> system;
  std::string where;
  std::string reason;
};

// Where the key is, and why it cannot be had.
std::vector<Unavailable> unavailable() {
  const auto error = [](const char* step, int number, int capability = -1) {
    return [=](FakeProbe& probe) {
      probe.errors[step] = number;
      if (capability >= 0) probe.lacking.insert(capability);
    };
  };
  return {
      {"chroot: /srv", error("chroot", EPERM, CAP_SYS_CHROOT), "main.yaml:6:25",
       "chroot: chroot /srv: Operation not permitted (EPERM): viaductd lacks CAP_SYS_CHROOT"},
      {"nice: -1", error("nice", EACCES, CAP_SYS_NICE), "main.yaml:6:23",
       "nice: nice -1: Permission denied (EACCES): viaductd lacks CAP_SYS_NICE"},
      {"cpus: [1, 4]", error("nice", 0), "main.yaml:6:23", "cpus: viaductd may not use CPU 4"},
      {"private_tmp: true", error("mount", EPERM, CAP_SYS_ADMIN), "main.yaml:6:30",
       "private_tmp: mount namespace: Operation not permitted (EPERM): viaductd lacks "
       "CAP_SYS_ADMIN"},
      {"read_only: [/srv]", error("mount", EPERM), "main.yaml:6:28",
       "read_only: mount namespace: Operation not permitted (EPERM): forbidden although viaductd "
       "has CAP_SYS_ADMIN, by its service manager, container or security module"},
      {"read_only: [/srv]", error("mount", ENOSPC), "main.yaml:6:28",
       "read_only: mount namespace: No space left on device (ENOSPC)"},
      {"capabilities: []", error("capabilities", EPERM, CAP_SETPCAP), "main.yaml:6:31",
       "capabilities: drop capabilities: Operation not permitted (EPERM): viaductd lacks "
       "CAP_SETPCAP"},
      {"capabilities: [CAP_KILL]", error("capabilities", 0, CAP_KILL), "main.yaml:6:31",
       "capabilities: viaductd itself lacks CAP_KILL"},
      {"nofile: 100", error("nofile", EPERM), "main.yaml:6:25",
       "nofile: more than fs.nr_open or the hard limit of viaductd (Operation not permitted "
       "(EPERM))"},
      {"core: 100", error("core", EPERM), "main.yaml:6:23",
       "core: more than the hard limit of viaductd (Operation not permitted (EPERM))"},
      {"memory: 1MiB",
       [](FakeProbe& probe) {
         probe.place = {"", {}, "cgroup v2 is not mounted"};
       },
       "main.yaml:6:25", "memory: cgroup v2 is not mounted"},
      {"cpu: 10",
       [](FakeProbe& probe) {
         probe.place.controllers = {"memory", "pids"};
       },
       "main.yaml:6:22", "cpu: no such controller in /sys/fs/cgroup/viaduct/cgroup.controllers"},
      {"pids: 10", [](FakeProbe& probe) { probe.place.controllers = {"cpu"}; }, "main.yaml:6:23",
       "pids: no such controller in /sys/fs/cgroup/viaduct/cgroup.controllers"},
  };
}

// "KEY: REASON" with what is said in between.
std::string message(const Unavailable& row, const std::string& said) {
  const auto colon = row.reason.find(": ");
  return row.where + ": apps.shop.isolation." + row.reason.substr(0, colon + 2) + said +
         row.reason.substr(colon);
}

LoadResult load_on(const ConfigDir& dir, const Unavailable& row, const std::string& more,
                   Purpose purpose) {
  FakeSystem system;
  system.add_file("/srv/srv", S_IFDIR | 0755);
  system.add_file("/srv/srv/shop", S_IFDIR | 0755);
  system.add_file("/srv/srv/shop/bin", S_IFDIR | 0755);
  system.add_file("/srv/srv/shop/bin/shop", S_IFREG | 0755);
  row.system(system.probe);
  return dir.load(yaml(row.keys + more), system, purpose);
}

TEST(Isolation, UnavailableIsAnErrorOfStartAndReload) {
  for (const Unavailable& row : unavailable()) {
    for (const Purpose purpose : {Purpose::start, Purpose::reload}) {
      const ConfigDir dir;
      const LoadResult result = load_on(dir, row, "", purpose);
      EXPECT_FALSE(result.settings) << row.keys;
      EXPECT_THAT(dir.texts(result.errors), ElementsAre(message(row, "not available")));
    }
  }
}

TEST(Isolation, UnavailableIsLeftOutWithAWarningWhenOptional) {
  for (const Unavailable& row : unavailable()) {
    const ConfigDir dir;
    const LoadResult result = load_on(dir, row, ", optional: true", Purpose::start);
    EXPECT_THAT(dir.texts(result.errors), IsEmpty());
    EXPECT_THAT(dir.texts(result.warnings), ElementsAre(message(row, "not available, left out")));
    ASSERT_TRUE(result.settings);
    Isolation nothing;
    nothing.optional = true;
    EXPECT_EQ(result.settings->apps[0].isolation, nothing) << row.keys;
  }
}

TEST(Isolation, UnavailableIsAWarningOfCheckWhichAnybodyMayRun) {
  for (const Unavailable& row : unavailable()) {
    const ConfigDir dir;
    const LoadResult result = load_on(dir, row, "", Purpose::check);
    EXPECT_TRUE(result.settings) << row.keys;
    EXPECT_THAT(dir.texts(result.warnings),
                ElementsAre(message(row, "not available to this process")));
  }
}

TEST(Isolation, OnlyWhatIsUnavailableIsLeftOut) {
  const ConfigDir dir;
  FakeSystem system;
  system.probe.errors["nice"] = EPERM;
  const LoadResult result =
      dir.load(yaml("nice: -5, nofile: 100, optional: true"), system, Purpose::start);
  ASSERT_TRUE(result.settings);
  EXPECT_EQ(result.settings->apps[0].isolation.nice, 0);
  EXPECT_EQ(result.settings->apps[0].isolation.nofile, 100u);
}

TEST(Capabilities, NamesAndNumbersAgreeWithTheKernelsHeader) {
  EXPECT_EQ(capability_names().size(), static_cast<std::size_t>(CAP_LAST_CAP) + 1);
  const std::pair<const char*, int> rows[] = {
      {"CAP_CHOWN", CAP_CHOWN},           {"CAP_KILL", CAP_KILL},
      {"CAP_SETPCAP", CAP_SETPCAP},       {"CAP_NET_BIND_SERVICE", CAP_NET_BIND_SERVICE},
      {"CAP_SYS_CHROOT", CAP_SYS_CHROOT}, {"CAP_SYS_ADMIN", CAP_SYS_ADMIN},
      {"CAP_MKNOD", CAP_MKNOD},           {"CAP_SETFCAP", CAP_SETFCAP},
      {"CAP_SYSLOG", CAP_SYSLOG},         {"CAP_CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE}};
  for (const auto& [name, number] : rows) {
    EXPECT_EQ(capability_number(name), number);
    EXPECT_EQ(capability_name(number), name);
  }
  EXPECT_FALSE(capability_number("CAP_NONE"));
  EXPECT_EQ(capability_name(-1), "");
  EXPECT_EQ(capability_name(64), "");
}

TEST(Controllers, AreThoseOfTheLimits) {
  Isolation isolation;
  EXPECT_THAT(controllers(isolation), IsEmpty());
  isolation.pids = 1;
  EXPECT_THAT(controllers(isolation), ElementsAre("pids"));
  isolation.memory = 1;
  isolation.cpu = 1;
  EXPECT_THAT(controllers(isolation), ElementsAre("memory", "cpu", "pids"));
}

}  // namespace
}  // namespace viaduct::daemon::config
