#include "daemon/config/cgroup_place.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::config {
namespace {

constexpr const char* kMounts =
    "22 1 8:1 / / rw,relatime - ext4 /dev/vda1 rw\n"
    "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kInside =
    "35 24 0:30 /docker/ab12 /sys/fs/cgroup ro,nosuid master:9 - cgroup2 cgroup rw\n";

TEST(CgroupPlace, IsBelowTheOwnCgroup) {
  struct Row {
    const char* cgroups;
    const char* mounts;
    const char* directory;
  };
  const Row rows[] = {
      {"0::/system.slice/viaductd.service\n", kMounts,
       "/sys/fs/cgroup/system.slice/viaductd.service"},
      {"9:name=systemd:/x\n8:pids:/y\n0::/z\n", kMounts, "/sys/fs/cgroup/z"},
      {"0::/\n", kMounts, "/sys/fs/cgroup"},
      // The daemon has moved itself already.
      {"0::/system.slice/viaductd.service/viaduct-daemon\n", kMounts,
       "/sys/fs/cgroup/system.slice/viaductd.service"},
      {"0::/viaduct-daemon\n", kMounts, "/sys/fs/cgroup"},
      {"0::/not-viaduct-daemon\n", kMounts, "/sys/fs/cgroup/not-viaduct-daemon"},
      {"0::/docker/ab12/web\n", kInside, "/sys/fs/cgroup/web"},
      {"0::/docker/ab12\n", kInside, "/sys/fs/cgroup"},
  };
  for (const Row& row : rows) {
    const CgroupPlace place = cgroup_place(row.cgroups, row.mounts);
    EXPECT_EQ(place.directory, row.directory) << row.cgroups;
    EXPECT_EQ(place.problem, "") << row.cgroups;
  }
}

TEST(CgroupPlace, SaysWhyThereIsNone) {
  struct Row {
    const char* cgroups;
    const char* mounts;
    const char* problem;
  };
  const Row rows[] = {
      {"", "", "cgroup v2 is not mounted"},
      {"8:pids:/y\n", kMounts, "cgroup v2 is not mounted"},
      {"0::/z\n", "22 1 8:1 / / rw,relatime - ext4 /dev/vda1 rw\n", "cgroup v2 is not mounted"},
      {"0::/z\n", "22 1 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
       "cgroup v2 is not mounted"},
      {"0::/docker/ab\n", kInside,
       "the cgroup of viaductd, /docker/ab, lies outside of what is mounted at /sys/fs/cgroup"},
      {"0::/../other\n", kMounts, "the cgroup of viaductd lies outside of its cgroup namespace"},
  };
  for (const Row& row : rows) {
    const CgroupPlace place = cgroup_place(row.cgroups, row.mounts);
    EXPECT_EQ(place.problem, row.problem) << row.cgroups;
    EXPECT_EQ(place.directory, "") << row.cgroups;
  }
}

TEST(CgroupPlace, OfThisSystemIsAPlaceOrAProblem) {
  const CgroupPlace place = find_cgroup_place();
  EXPECT_NE(place.directory.empty(), place.problem.empty());
}

}  // namespace
}  // namespace viaduct::daemon::config
