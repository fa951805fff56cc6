// The seam to the machine, on the machine.
#include "daemon/config/system.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <gtest/gtest.h>

#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

TEST(RealSystem, FindsUsersByNameAndNumber) {
  const auto root = real_system().find_user("root");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->uid, 0u);
  EXPECT_EQ(root->home, "/root");
  EXPECT_EQ(real_system().find_user("0"), root);
  EXPECT_FALSE(real_system().find_user("no such user"));
  EXPECT_FALSE(real_system().find_user("4294967295"));
  EXPECT_FALSE(real_system().find_user(""));
}

TEST(RealSystem, FindsGroupsByNameAndNumber) {
  EXPECT_EQ(real_system().find_group("root"), 0u);
  EXPECT_EQ(real_system().find_group("54321"), 54321u);
  EXPECT_FALSE(real_system().find_group("no such group"));
  EXPECT_FALSE(real_system().find_group("4294967295"));
}

TEST(RealSystem, KnowsItself) {
  const Account own = real_system().own_account();
  EXPECT_EQ(own.uid, geteuid());
  EXPECT_EQ(own.gid, getegid());
  EXPECT_FALSE(own.name.empty());
  EXPECT_GE(real_system().cpus_allowed(), 1u);
}

TEST(RealSystem, SeesFilesThroughLinksAndSaysWhyNot) {
  const ConfigDir dir;
  dir.write("file", "12345");
  ASSERT_EQ(chmod(dir.path("file").c_str(), 0751), 0);
  ASSERT_EQ(symlink("file", dir.path("link").c_str()), 0);
  const FileStatus status = real_system().status(dir.path("link"));
  EXPECT_EQ(status.error, 0);
  EXPECT_EQ(status.mode, static_cast<mode_t>(S_IFREG | 0751));
  EXPECT_EQ(status.identity.size, 5u);
  EXPECT_EQ(status.identity, real_system().status(dir.path("file")).identity);
  EXPECT_EQ(real_system().status(dir.path("none")).error, ENOENT);

  dir.write("file", "123456");
  EXPECT_NE(status.identity, real_system().status(dir.path("file")).identity);
}

}  // namespace
}  // namespace viaduct::daemon::config
