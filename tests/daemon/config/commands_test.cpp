#include <unistd.h>

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/config/canary.hpp"
#include "daemon/config/executable.hpp"
#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kShop =
    "listeners: [{address: unix:/s, app: shop}]\n"
    "apps: {shop: {command: [/srv/shop/bin/shop], user: shop, directory: /srv}}\n";

TEST(Commands, WhyAUserCannotRunOneIsSaidInWords) {
  struct Case {
    std::function<void(FakeSystem&)> damage;
    std::string message;
  };
  const auto remove = [](const char* path) {
    return [path](FakeSystem& system) { system.files.erase(path); };
  };
  const auto make = [](const char* path, mode_t mode, uid_t uid = 0, gid_t gid = 0) {
    return [=](FakeSystem& system) { system.add_file(path, mode, uid, gid); };
  };
  for (const Case& c : std::vector<Case>{
           {make("/srv/shop", S_IFDIR | 0700),
            "shop: exec /srv/shop/bin/shop: Permission denied (EACCES): user shop cannot search "
            "/srv/shop"},
           {make("/srv/shop", S_IFDIR | 0677, 1001),
            "shop: exec /srv/shop/bin/shop: Permission denied (EACCES): user shop cannot search "
            "/srv/shop"},
           {make("/srv/shop", S_IFDIR | 0767, 0, 33),
            "shop: exec /srv/shop/bin/shop: Permission denied (EACCES): user shop cannot search "
            "/srv/shop"},
           {remove("/srv/shop/bin/shop"),
            "shop: exec /srv/shop/bin/shop: No such file or directory (ENOENT)"},
           {remove("/srv/shop/bin"),
            "shop: exec /srv/shop/bin/shop: No such file or directory (ENOENT): /srv/shop/bin does "
            "not exist"},
           {make("/srv/shop/bin", S_IFREG | 0755),
            "shop: exec /srv/shop/bin/shop: Not a directory (ENOTDIR): /srv/shop/bin is not a "
            "directory"},
           {make("/srv/shop/bin/shop", S_IFDIR | 0755),
            "shop: exec /srv/shop/bin/shop: Permission denied (EACCES): it is not a regular file"},
           {make("/srv/shop/bin/shop", S_IFREG | 0644),
            "shop: exec /srv/shop/bin/shop: Permission denied (EACCES): user shop cannot execute "
            "it"},
           {[](FakeSystem& system) { system.files["/srv/shop/bin/shop"].error = ELOOP; },
            "shop: exec /srv/shop/bin/shop: Too many levels of symbolic links (ELOOP)"}}) {
    const ConfigDir dir;
    FakeSystem system;
    c.damage(system);
    for (const Purpose strict : {Purpose::check, Purpose::reload}) {
      const LoadResult result = dir.load(kShop, system, strict);
      EXPECT_FALSE(result.settings);
      EXPECT_THAT(dir.texts(result.errors), ElementsAre(c.message));
    }
    const LoadResult started = dir.load(kShop, system, Purpose::start);
    EXPECT_TRUE(started.settings) << "one broken app never fails the service";
    EXPECT_THAT(dir.texts(started.warnings), ElementsAre(c.message));
  }
}

TEST(Commands, TheDirectoryMustBeEnterable) {
  const ConfigDir dir;
  FakeSystem system;
  system.add_file("/srv/data", S_IFDIR | 0750, 0, 0);
  const auto errors = [&](const std::string& directory) {
    return dir.texts(
        dir.load("apps: {shop: {command: [/srv/shop/bin/shop], user: shop, directory: " +
                     directory + "}}\n",
                 system)
            .errors);
  };
  EXPECT_THAT(errors("/srv/data"), ElementsAre("shop: chdir /srv/data: Permission denied (EACCES): "
                                               "user shop cannot search /srv/data"));
  EXPECT_THAT(errors("/srv/none"),
              ElementsAre("shop: chdir /srv/none: No such file or directory (ENOENT)"));
  EXPECT_THAT(errors("/srv/shop/"), IsEmpty());
}

TEST(Commands, ANameWithoutASlashIsLookedUpInThePathOfTheWorker) {
  const ConfigDir dir;
  FakeSystem system;
  system.add_file("/usr/bin/shop", S_IFREG | 0755);
  system.add_file("/opt", S_IFDIR | 0755);
  system.add_file("/opt/shop", S_IFREG | 0755);
  const auto executable = [&](const std::string& keys) {
    const LoadResult result =
        dir.load("apps: {shop: {command: [shop], user: shop" + keys + "}}\n", system);
    return result.settings ? result.settings->apps[0].executable : dir.texts(result.errors)[0];
  };
  EXPECT_EQ(executable(""), "/usr/bin/shop");
  EXPECT_EQ(executable(", env: {PATH: '/opt:/usr/bin'}"), "/opt/shop");
  dir.write("env", "PATH=/none:/usr/bin\n");
  EXPECT_EQ(executable(", env: {PATH: /opt}, env_file: [env]"), "/usr/bin/shop");
  EXPECT_EQ(executable(", env: {PATH: /none}"),
            "shop: exec shop: No such file or directory (ENOENT): not in PATH, which is /none");
}

TEST(Commands, PathSkipsWhatTheUserCannotExecute) {
  FakeSystem system;
  const Account shop = system.users["shop"];
  system.add_file("/opt", S_IFDIR | 0755);
  system.add_file("/opt/x", S_IFREG | 0700);
  EXPECT_EQ(find_in_path(system, shop, "x", "/opt:/usr/bin").access.error, EACCES);
  system.add_file("/usr/bin/x", S_IFREG | 0755);
  EXPECT_EQ(find_in_path(system, shop, "x", "/opt:relative::/usr/bin").path, "/usr/bin/x");
  EXPECT_EQ(find_in_path(system, shop, "x", "").path, "");
}

TEST(Commands, AccessControlListsAreLeftToTheKernel) {
  FakeSystem system;
  system.files["/srv"].mode = S_IFDIR | 0700;
  const Account shop = system.users["shop"];
  EXPECT_EQ(executable_by(system, shop, "/srv/shop/bin/shop").because,
            "user shop cannot search /srv");
  system.files["/srv"].has_acl = true;
  EXPECT_EQ(executable_by(system, shop, "/srv/shop/bin/shop").error, 0);
}

TEST(Commands, RootNeedsOneExecuteBitAndSearchesEverything) {
  FakeSystem system;
  const Account root = system.users["root"];
  system.files["/srv"].mode = S_IFDIR;
  system.add_file("/srv/shop/bin/shop", S_IFREG | 0001, 7, 7);
  EXPECT_EQ(executable_by(system, root, "/srv/shop/bin/shop").error, 0);
  system.add_file("/srv/shop/bin/shop", S_IFREG | 0666, 7, 7);
  EXPECT_EQ(executable_by(system, root, "/srv/shop/bin/shop").error, EACCES);
}

TEST(Commands, TheFileIsRememberedForReloads) {
  const ConfigDir dir;
  FakeSystem system;
  EXPECT_EQ(dir.load(kShop, system).settings->apps[0].command_file,
            system.files["/srv/shop/bin/shop"].identity);
  system.files.erase("/srv/shop/bin/shop");
  EXPECT_FALSE(dir.load(kShop, system, Purpose::start).settings->apps[0].command_file);
}

TEST(Commands, TheFileIsPinnedForWorkersAndCanaries) {
  const ConfigDir dir;
  FakeSystem system;
  system.pinned = std::make_shared<const UniqueFd>(::dup(0));
  const std::string text =
      "listeners: [{address: unix:/s, app: shop}]\n"
      "apps: {shop: {command: [/srv/shop/bin/shop], user: shop, directory: /srv,\n"
      "  canary: {command: [/srv/shop/bin/shop], share: 5%}}}\n";
  const auto settings = dir.load(text, system).settings;
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->apps[0].pinned_file, system.pinned);
  EXPECT_EQ(settings->apps[0].canary->pinned_file, system.pinned);
  for (const AppSettings& pool : pools_of(*settings)) EXPECT_EQ(pool.pinned_file, system.pinned);
}

TEST(EnvFiles, AreReadInOrderAndNamedInMistakes) {
  const ConfigDir dir;
  dir.write("one", "A=1\nB=1\n");
  dir.write("two", "B=2\n");
  const auto load_with = [&](const std::string& files) {
    return dir.load("apps: {shop: {command: [/srv/shop/bin/shop], user: shop, env_file: [" + files +
                    "]}}\n");
  };
  const LoadResult good = load_with("one, two, -missing");
  ASSERT_TRUE(good.settings);
  EXPECT_EQ(good.settings->apps[0].env_file_values,
            (NamedValues{{"A", "1"}, {"B", "1"}, {"B", "2"}}));

  dir.write("two", "# comment\n\nB 2\n");
  EXPECT_THAT(dir.texts(load_with("one, two").errors),
              ElementsAre("two:3:1: apps.shop.env_file[1]: expected NAME=VALUE"));
  EXPECT_THAT(dir.texts(load_with("missing").errors),
              Contains("main.yaml:1:69: apps.shop.env_file[0]: missing: No such file or directory "
                       "(ENOENT)"));
  dir.write("dir/x", "");
  EXPECT_THAT(dir.texts(load_with("-dir").errors),
              ElementsAre("main.yaml:1:69: apps.shop.env_file[0]: dir: Is a directory (EISDIR)"));
}

TEST(EnvFiles, AreReadByTheirUserWhereOthersThanRootCanChangeThem) {
  const ConfigDir dir;
  dir.write("env", "A=1\n");
  const std::string path = dir.path("env");
  const auto load = [&](FakeSystem& system, const std::string& user) {
    return dir.load("apps: {shop: {command: [/srv/shop/bin/shop], user: " + user +
                        ", allow_root: true, env_file: [env]}}\n",
                    system);
  };
  FakeSystem system;
  EXPECT_TRUE(load(system, "shop").settings);
  EXPECT_EQ(system.readers, (std::map<std::string, std::string>{{path, "shop"}}));

  FakeSystem guarded;
  guarded.files_of_root = {path};
  EXPECT_TRUE(load(guarded, "shop").settings);
  EXPECT_TRUE(load(system, "root").settings);
  EXPECT_TRUE(guarded.readers.empty());

  system.unreadable = {path};
  const LoadResult refused = load(system, "shop");
  EXPECT_FALSE(refused.settings);
  EXPECT_THAT(
      dir.texts(refused.errors),
      Contains(HasSubstr("env: Permission denied (EACCES), read as user shop because others "
                         "than root can change the file or a directory above it")));
}

TEST(Directories, WhereEverybodyMayReplaceFilesAreWarnedOf) {
  const ConfigDir dir;
  FakeSystem system;
  system.add_file("/var/open", S_IFDIR | 0777);
  system.add_file("/var/closed", S_IFDIR | 0755);
  const auto warnings = [&](const std::string& place) {
    return dir.texts(dir.load("listeners: [{address: unix:" + place +
                                  "/web.sock, app: shop}]\n"
                                  "control: unix:" +
                                  place +
                                  "/control.sock\n"
                                  "log: {to: " +
                                  place +
                                  "/log}\n"
                                  "access_log: {to: " +
                                  place +
                                  "/access}\n"
                                  "apps: {shop: {command: [/srv/shop/bin/shop], user: shop,\n"
                                  "  log: {to: " +
                                  place +
                                  "/shop},\n"
                                  "  slow_log: " +
                                  place +
                                  "/slow,\n"
                                  "  crash_dir: " +
                                  place + "/crashes}}\n",
                              system)
                         .warnings);
  };
  const std::string why = ": /var/open is writable by all and not sticky";
  EXPECT_THAT(warnings("/var/open"),
              Contains("main.yaml:1:23: listeners[0].address: everybody can put something else in "
                       "the place of the socket: /var/open is writable by all and not sticky; so "
                       "it is with control.address, log.to, access_log.to, apps.shop.log.to, "
                       "apps.shop.slow_log, apps.shop.crash_dir"));
  EXPECT_THAT(warnings("/var/closed"), Not(Contains(HasSubstr("everybody"))));
}

TEST(CrashDirs, HaveToBeWritableOrToBeMade) {
  struct Case {
    const char* path;
    const char* error;  // "": none
  };
  const ConfigDir dir;
  FakeSystem system;
  system.own = "shop";
  system.environment_["RUNTIME_DIRECTORY"] = "/run/viaduct";
  system.add_file("/var", S_IFDIR | 0755);
  system.add_file("/var/mine", S_IFDIR | 0700, 1001);
  system.add_file("/var/group", S_IFDIR | 0070, 0, 33);
  system.add_file("/var/group/closed", S_IFDIR | 0050, 0, 33);
  system.add_file("/var/theirs", S_IFDIR | 0755, 1002);
  system.add_file("/var/blind", S_IFDIR | 0200, 1001);
  system.add_file("/var/file", S_IFREG | 0666);
  for (const Case& c : {
           Case{"/var/mine", ""},
           Case{"/var/mine/new", ""},
           Case{"/var/group", ""},
           Case{"/var/group/closed",
                "Permission denied (EACCES): user shop cannot write to /var/group/closed"},
           Case{"/var/theirs", "Permission denied (EACCES): user shop cannot write to /var/theirs"},
           Case{"/var/theirs/new",
                "Permission denied (EACCES): user shop cannot write to /var/theirs"},
           Case{"/var/blind", "Permission denied (EACCES): user shop cannot search /var/blind"},
           Case{"/var/absent/new", "No such file or directory (ENOENT)"},
           Case{"/var/file", "Not a directory (ENOTDIR): /var/file is not a directory"},
       }) {
    const LoadResult result = dir.load(
        "listeners: [{address: unix:/s, app: shop}]\n"
        "apps: {shop: {command: [/srv/shop/bin/shop], crash_dir: " +
            std::string(c.path) + "}}\n",
        system, Purpose::start);
    std::vector<std::string> expected;
    if (*c.error != '\0') {
      expected.push_back("main.yaml:2:57: apps.shop.crash_dir: " + std::string(c.path) + ": " +
                         c.error);
    }
    EXPECT_THAT(dir.texts(result.errors), ::testing::ElementsAreArray(expected)) << c.path;
  }
  system.own = "root";
  EXPECT_TRUE(dir.load("apps: {shop: {command: [/srv/shop/bin/shop], user: shop,\n"
                       "  crash_dir: /var/theirs}}\n",
                       system)
                  .settings);
}

// Where viaductd starts they are errors; where its configuration is checked, perhaps on another
// machine, warnings.
TEST(Directories, ThatAreMissingAreNamedByEachKey) {
  const ConfigDir dir;
  FakeSystem system;
  system.add_file("/file", S_IFREG | 0644);
  const std::string shop = "apps: {shop: {command: [/srv/shop/bin/shop], user: shop";
  const struct {
    std::string text;
    const char* key;
    const char* what;
  } cases[] = {
      {"listeners: [{address: unix:/no/s, app: shop}]\n" + shop + "}}", "listeners[0].address",
       "socket"},
      {"control: unix:/no/c\n" + shop + "}}", "control.address", "socket"},
      {"log: {to: /no/log}\n" + shop + "}}", "log.to", "log"},
      {"access_log: {to: /no/log}\n" + shop + "}}", "access_log.to", "log"},
      {shop + ", log: {to: /no/log}}}", "apps.shop.log.to", "log"},
      {shop + ", slow_log: /no/log}}", "apps.shop.slow_log", "log"},
  };
  const auto contains = [&](const std::vector<Diagnostic>& findings, const std::string& text) {
    const auto texts = dir.texts(findings);
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& finding) {
      return finding.starts_with("main.yaml:") && finding.ends_with(text);
    });
  };
  for (const auto& [text, key, what] : cases) {
    const std::string said = std::string(key) + ": the directory of the " + what +
                             ", /no: No such file or directory (ENOENT); viaductd does not make it";
    const LoadResult checked = dir.load(text, system);
    EXPECT_TRUE(checked.settings && contains(checked.warnings, said)) << key;
    for (const Purpose purpose : {Purpose::start, Purpose::reload}) {
      const LoadResult loaded = dir.load(text, system, purpose);
      EXPECT_EQ(loaded.errors.size(), 1u) << key;
      EXPECT_TRUE(contains(loaded.errors, said)) << key;
    }
  }
  const auto through_a_file = dir.load("log: {to: /file/log}\n" + shop + "}}", system);
  EXPECT_THAT(
      dir.texts(through_a_file.errors),
      ElementsAre("main.yaml:1:11: log.to: the directory of the log, /file: Not a directory "
                  "(ENOTDIR); viaductd does not make it"));
}

// viaductd makes runtime_dir, though nothing above it.
TEST(Directories, RuntimeDirIsMadeAndWhatIsAboveItIsNot) {
  const ConfigDir dir;
  const std::string rest =
      "listeners: [{address: unix:/run/new/s, app: shop}]\n"
      "log: {to: /run/new/../new/log}\n"
      "apps: {shop: {command: [/srv/shop/bin/shop], user: shop}}\n";
  EXPECT_THAT(
      dir.texts(dir.load("runtime_dir: /run/new\n" + rest, FakeSystem(), Purpose::start).errors),
      ElementsAre());
  EXPECT_THAT(
      dir.texts(dir.load("runtime_dir: /run/new/deep\n", FakeSystem(), Purpose::start).errors),
      ElementsAre("main.yaml:1:14: runtime_dir: the directory of runtime_dir, /run/new: No "
                  "such file or directory (ENOENT); viaductd does not make it"));
}

}  // namespace
}  // namespace viaduct::daemon::config
