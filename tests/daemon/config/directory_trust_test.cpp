#include "daemon/config/directory_trust.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include <gmock/gmock.h>

#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uid_t kShop = 1001;
constexpr uid_t kBlog = 1002;
constexpr gid_t kAdm = 4;

TEST(DirectoryTrust, DependsOnOwnerModeAndGroup) {
  const struct {
    mode_t mode;
    uid_t owner;
    gid_t group;
    const char* why;  // after the path; "": nobody can
  } cases[] = {
      {0755, 0, 0, ""},
      {0700, 0, kAdm, ""},
      {0775, 0, 0, ""},
      {0777, 0, 0, " is writable by all and not sticky"},
      {0702, 0, 0, " is writable by all and not sticky"},
      {01777, 0, 0, ""},
      {01775, 0, kAdm, ""},
      {0775, 0, kAdm, " is writable by group adm and not sticky"},
      {0775, 0, 12345, " is writable by group 12345 and not sticky"},
      {0755, kShop, 0, " belongs to user shop"},
      {01777, kShop, 0, " belongs to user shop"},
      {0755, 4711, 0, " belongs to user 4711"},
  };
  for (const auto& c : cases) {
    FakeSystem system;
    system.add_file("/srv/place", S_IFDIR | c.mode, c.owner, c.group);
    const Replacer found = who_can_replace_files(system, "/srv/place", {});
    const std::string wanted = *c.why == '\0' ? "" : "/srv/place" + std::string(c.why);
    EXPECT_EQ(found.why, wanted) << std::oct << c.mode << " of " << std::dec << c.owner;
    EXPECT_EQ(found.who.empty(), wanted.empty());
  }
}

TEST(DirectoryTrust, WhoIsNamedIsNoneOfTheTrusted) {
  FakeSystem system;
  system.add_file("/srv/shop", S_IFDIR | 0755, kShop, kShop);
  EXPECT_EQ(who_can_replace_files(system, "/srv/shop", {}).who, "user shop");
  EXPECT_EQ(who_can_replace_files(system, "/srv/shop", {{kBlog}, {}}).who, "user shop");
  EXPECT_EQ(who_can_replace_files(system, "/srv/shop", {{kShop}, {}}).who, "");
  system.add_file("/srv/shop", S_IFDIR | 0775, 0, kAdm);
  EXPECT_EQ(who_can_replace_files(system, "/srv/shop", {}).who, "members of group adm");
  EXPECT_EQ(who_can_replace_files(system, "/srv/shop", {{}, {kAdm}}).who, "");
  system.own = "shop";
  system.add_file("/srv/shop", S_IFDIR | 0700, kShop, kAdm);
  EXPECT_EQ(who_can_replace_files(system, "/srv/shop", {}).who, "") << "the user of this process";
}

// Where everybody has a group of his own, 0775 is what umask 002 makes.
TEST(DirectoryTrust, AGroupThatAUserHasForHimselfIsHim) {
  FakeSystem system;
  system.own = "blog";
  system.add_file("/srv/blog", S_IFDIR | 0775, kBlog, kBlog);
  EXPECT_EQ(who_can_replace_files(system, "/srv/blog", {}).who, "");
  system.members[kBlog] = {"blog"};
  EXPECT_EQ(who_can_replace_files(system, "/srv/blog", {}).who, "");
  system.members[kBlog] = {"blog", "www-data"};
  EXPECT_EQ(who_can_replace_files(system, "/srv/blog", {}).who, "members of group blog");
  system.members.clear();
  system.add_user("deploy", 1003, {1002});
  system.users["deploy"].gid = kAdm;
  system.own = "deploy";
  system.add_file("/srv/blog", S_IFDIR | 0775, 1003, kAdm);
  EXPECT_EQ(who_can_replace_files(system, "/srv/blog", {}).who, "members of group adm")
      << "a primary group that others may share";
}

TEST(DirectoryTrust, AnAccessControlListMayNameAnybody) {
  FakeSystem system;
  system.add_file("/srv/place", S_IFDIR | 0775, 0, 0);
  system.files["/srv/place"].has_acl = true;
  EXPECT_EQ(who_can_replace_files(system, "/srv/place", {}).who, "others");
  system.files["/srv/place"].mode = S_IFDIR | 0755;
  EXPECT_EQ(who_can_replace_files(system, "/srv/place", {}).who, "")
      << "the mask lets nobody write";
}

TEST(DirectoryTrust, EveryDirectoryAboveCounts) {
  FakeSystem system;
  system.add_file("/srv/shop", S_IFDIR | 0755, kShop, kShop);
  EXPECT_EQ(who_can_replace_files(system, "/srv/shop/bin", {}).why,
            "/srv/shop belongs to user shop");
  EXPECT_EQ(who_can_replace_files(system, "/srv/shop/bin/../bin/.", {}).who, "user shop");
  EXPECT_EQ(who_can_replace_files(system, "/srv/shop/none", {}).who, "user shop");
  EXPECT_EQ(who_can_replace_files(system, "/none/of/these", {}).who, "");
  EXPECT_EQ(who_can_replace_files(system, "srv/shop", {}).who, "") << "relative to what";
  system.add_file("/srv", S_IFDIR | 01777);
  system.add_file("/srv/shop", S_IFDIR | 0755);
  EXPECT_EQ(who_can_replace_files(system, "/srv/shop/bin", {}).who, "")
      << "nobody moves what others own in a sticky one";
}

TEST(DirectoryTrust, OfALinkTheDirectoriesAboveItsTargetCountAsWell) {
  const struct {
    const char* open;  // the directory that another user owns
    const char* why;
  } cases[] = {
      {"/srv", "user shop"},    {"/srv/link", "user shop"}, {"/data", "user shop"},
      {"/data/b", "user shop"}, {"/disk", "user shop"},     {"/disk/real", "user shop"},
      {"/disk/other", ""},      {"/data/other", ""},        {"/disk/real/x", "user shop"},
      {"/disk/real/x/y", ""},
  };
  for (const auto& c : cases) {
    FakeSystem system;
    system.links = {{"/srv/link", "../data/b"}, {"/data/b", "/disk/real"}};
    system.add_file(c.open, S_IFDIR | 0755, kShop, kShop);
    EXPECT_EQ(who_can_replace_files(system, "/srv/link/x", {}).who, c.why) << c.open;
  }
  FakeSystem system;
  system.links = {{"/srv/a", "b"}, {"/srv/b", "a"}};
  EXPECT_EQ(who_can_replace_files(system, "/srv/a/x", {}).who, "") << "a loop ends";
}

const std::string kOpen = "listeners: [{address: unix:/srv/place/web.sock, app: shop";
const std::string kApps =
    "}]\napps: {shop: {command: [/srv/shop/bin/shop], user: shop, log: {to: /srv/place/log}},\n"
    "  blog: {command: [/srv/shop/bin/shop], user: blog}}\n";

TEST(Directories, OfThoseWhomItConcernsAloneAreNotWarnedOf) {
  const ConfigDir dir;
  FakeSystem system;
  const auto warnings = [&](const std::string& listener) {
    return dir.texts(dir.load(kOpen + listener + kApps, system).warnings);
  };
  const auto of_listener = Contains(HasSubstr("place of the socket: /srv/place"));
  const auto of_log = Contains(testing::AnyOf(HasSubstr("place of the log: /srv/place"),
                                              HasSubstr("; so it is with apps.shop.log.to")));
  system.add_file("/srv/place", S_IFDIR | 0755, kShop, kShop);
  EXPECT_THAT(warnings(""), Not(of_listener)) << "of the only app behind it";
  EXPECT_THAT(warnings(""), Not(of_log)) << "of the app that logs there";
  system.add_file("/srv/place", S_IFDIR | 0755, 33);
  EXPECT_THAT(warnings(""), of_listener);
  EXPECT_THAT(warnings(""), of_log);
  EXPECT_THAT(warnings(", owner: www-data"), Not(of_listener)) << "whose socket it is";
  EXPECT_THAT(warnings(", owner: www-data"), of_log);
  system.add_file("/srv/place", S_IFDIR | 0775, 0, 33);
  EXPECT_THAT(warnings(""), of_listener);
  EXPECT_THAT(warnings(", group: www-data"), Not(of_listener));
}

// As the units, the README and the packages of Debian make them.
TEST(Directories, OfUsualLayoutsAreNotWarnedOf) {
  const ConfigDir dir;
  const auto warnings = [&](const FakeSystem& system, const std::string& runtime,
                            const std::string& listener, const std::string& user) {
    return dir.texts(dir.load("runtime_dir: /run/" + runtime + "\nlisteners: [{" + listener +
                                  ", app: shop}]\nlog: {to: /var/log/" + runtime +
                                  "/log}\naccess_log: {to: /var/log/" + runtime +
                                  "/access}\napps: {shop: {command: [/srv/shop/bin/shop]" + user +
                                  ", slow_log: /var/lib/" + runtime +
                                  "/shop/slow,\n  crash_dir: /var/lib/" + runtime +
                                  "/shop/crashes}}\n",
                              system, Purpose::start)
                         .warnings);
  };
  const auto quiet = Not(Contains(HasSubstr("in the place of")));
  FakeSystem root;
  root.add_file("/var/lib/viaduct/shop", S_IFDIR | 0750, kShop);
  root.add_file("/run/php", S_IFDIR | 0755, 33, 33);
  root.add_file("/run", S_IFDIR | 0755);
  EXPECT_THAT(warnings(root, "viaduct", "address: unix:/run/viaduct/web.sock", ", user: shop"),
              quiet);
  EXPECT_THAT(
      warnings(root, "viaduct", "address: unix:/run/php/web.sock, owner: www-data, group: www-data",
               ", user: shop"),
      quiet);
  FakeSystem instance;  // viaductd@shop
  instance.own = "shop";
  for (const char* place : {"/run/viaduct-shop", "/var/log/viaduct-shop", "/var/lib/viaduct-shop"})
    instance.add_file(place, S_IFDIR | 0755, kShop, kShop);
  instance.add_file("/var/lib/viaduct-shop/shop", S_IFDIR | 0775, kShop, kShop);
  EXPECT_THAT(warnings(instance, "viaduct-shop", "address: unix:/run/viaduct-shop/web.sock", ""),
              quiet);
}

TEST(Directories, BehindWhichAreSeveralUsersAreNobodysAlone) {
  const ConfigDir dir;
  FakeSystem system;
  system.add_file("/srv/place", S_IFDIR | 0755, kShop, kShop);
  const auto result = dir.load(
      "listeners: [{address: unix:/srv/place/web.sock, routes: [{path: /a, app: shop},"
      "{path: /b, app: blog}]}]\n"
      "apps: {shop: {command: [/srv/shop/bin/shop], user: shop},\n"
      "  blog: {command: [/srv/shop/bin/shop], user: blog}}\n",
      system);
  EXPECT_THAT(dir.texts(result.warnings),
              Contains("main.yaml:1:23: listeners[0].address: user shop can put something else in "
                       "the place of the socket: /srv/place belongs to user shop"));
}

TEST(Directories, RuntimeDirOfRootIsRootsOrSticky) {
  const ConfigDir dir;
  const struct {
    mode_t mode;
    uid_t owner;
    const char* problem;  // "": none
  } cases[] = {
      {0755, 0, ""},
      {01777, 0, ""},
      {0775, 0, " may be written by other users; take that away, or make it sticky"},
      {0757, 0, " may be written by other users; take that away, or make it sticky"},
      {0755, 7, " belongs to user 7, which root must not trust; it has to belong to root"},
      {01777, 7, " belongs to user 7, which root must not trust; it has to belong to root"},
  };
  for (const Purpose purpose : {Purpose::check, Purpose::start, Purpose::reload}) {
    for (const auto& c : cases) {
      FakeSystem system;
      system.add_file("/srv/run", S_IFDIR | c.mode, c.owner);
      const auto errors = dir.texts(dir.load("runtime_dir: /srv/run\n", system, purpose).errors);
      if (*c.problem == '\0') {
        EXPECT_THAT(errors, ElementsAre()) << std::oct << c.mode;
      } else {
        EXPECT_THAT(errors,
                    ElementsAre("main.yaml:1:14: runtime_dir: /srv/run" + std::string(c.problem)));
      }
      system.own = "viaduct";
      EXPECT_THAT(dir.texts(dir.load("runtime_dir: /srv/run\n", system, purpose).errors),
                  ElementsAre())
          << "not root";
    }
  }
  FakeSystem system;
  system.add_file("/srv/run", S_IFDIR | 0755);
  system.links_of_others = {"/srv/run"};
  EXPECT_THAT(dir.texts(dir.load("runtime_dir: /srv/run\n", system).errors),
              ElementsAre("main.yaml:1:14: runtime_dir: /srv/run, which a link of another user "
                          "leads to"));
}

// It is made when viaductd starts, where its parent is.
TEST(Directories, RuntimeDirOfRootIsNotMadeWhereALinkOfAnotherUserLeads) {
  const ConfigDir dir;
  FakeSystem system;
  system.add_file("/srv/link", S_IFDIR | 0755);
  const auto errors = [&](const char* path) {
    return dir.texts(dir.load("runtime_dir: " + std::string(path) + "\n", system).errors);
  };
  EXPECT_THAT(errors("/srv/link/run"), ElementsAre());
  system.links_of_others = {"/srv/link"};
  for (const char* path : {"/srv/link/run", "/srv/link/run/"}) {
    EXPECT_THAT(errors(path), ElementsAre("main.yaml:1:14: runtime_dir: /srv/link, which a link of "
                                          "another user leads to"));
  }
}

TEST(Directories, ThatALinkOfAnotherUserLeadsToAreNoneOfRoots) {
  const ConfigDir dir;
  FakeSystem system;
  system.add_file("/srv/logs", S_IFDIR | 0755);
  system.links_of_others = {"/srv/logs"};
  const std::string text =
      "log: {to: /srv/logs/log}\naccess_log: {to: /srv/logs/access}\n"
      "control: {address: unix:/srv/logs/control.sock}\n"
      "listeners: [{address: unix:/srv/logs/web.sock, app: shop}]\n"
      "apps: {shop: {command: [/srv/shop/bin/shop], user: shop, log: {to: /srv/logs/shop},\n"
      "  slow_log: /srv/logs/slow, crash_dir: /srv/logs/crashes}}\n";
  const std::string why = ": /srv/logs, which a link of another user leads to";
  EXPECT_THAT(
      dir.texts(dir.load(text, system).errors),
      ::testing::UnorderedElementsAre(
          "main.yaml:1:11: log.to" + why, "main.yaml:2:18: access_log.to" + why,
          "main.yaml:3:20: control.address" + why, "main.yaml:4:23: listeners[0].address" + why,
          "main.yaml:5:68: apps.shop.log.to" + why, "main.yaml:6:13: apps.shop.slow_log" + why,
          "main.yaml:6:40: apps.shop.crash_dir" + why));
  system.own = "shop";
  for (const auto& error : dir.texts(dir.load(text, system).errors))
    EXPECT_EQ(error.find(why), std::string::npos) << error;
}

TEST(Directories, LogsAreFilesOrDevices) {
  const ConfigDir dir;
  FakeSystem system;
  system.add_file("/var/log/pipe", S_IFIFO | 0666);
  system.add_file("/var/log/socket", S_IFSOCK | 0666);
  system.add_file("/var/log/file", S_IFREG | 0644);
  system.add_file("/dev/tty1", S_IFCHR | 0600);
  system.add_file("/dev", S_IFDIR | 0755);
  system.add_file("/dev/fd", S_IFDIR | 0755);
  system.add_file("/dev/stdout", S_IFIFO | 0600);
  system.add_file("/dev/fd/3", S_IFIFO | 0600);
  const auto errors = [&](const std::string& path) {
    return dir.texts(dir.load("log: {to: " + path + "}\n", system).errors);
  };
  for (const char* usable :
       {"/var/log/file", "/var/log/new", "/dev/tty1", "/dev/stdout", "/dev/fd/3"})
    EXPECT_THAT(errors(usable), ElementsAre()) << usable;
  for (const std::string path : {"/var/log/pipe", "/var/log/socket"}) {
    EXPECT_THAT(errors(path), ElementsAre("main.yaml:1:11: log.to: " + path +
                                          ": not a file or character device"));
  }
  EXPECT_THAT(errors("/var/log/viaduct"),
              ElementsAre("main.yaml:1:11: log.to: /var/log/viaduct: Is a directory (EISDIR)"));
}

}  // namespace
}  // namespace viaduct::daemon::config
