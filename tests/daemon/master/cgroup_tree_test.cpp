#include "daemon/master/cgroup_tree.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "daemon/master/process.hpp"
#include "tests/daemon/master/no_cgroups.hpp"
#include "tests/daemon/master/real_cgroup.hpp"
#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

namespace fs = std::filesystem;

template <class Step>
std::string error_of(Step step) {
  try {
    step();
  } catch (const CgroupError& error) {
    return error.what();
  }
  return "";
}

TEST(CgroupValuesTest, AreWhatTheKernelReads) {
  struct Row {
    std::uint64_t memory;
    std::uint32_t cpu;
    std::uint32_t pids;
    CgroupValues values;
  };
  const Row rows[] = {
      {0, 0, 0, {}},
      {1 << 20, 0, 0, {{"memory.max", "1048576"}, {"memory.oom.group", "1"}}},
      {0, 1, 0, {{"cpu.max", "1000 100000"}}},
      {0, 100, 0, {{"cpu.max", "100000 100000"}}},
      {0, 102'400, 0, {{"cpu.max", "102400000 100000"}}},
      {0, 0, 20, {{"pids.max", "20"}}},
      {8ull << 40,
       250,
       1,
       {{"memory.max", "8796093022208"},
        {"memory.oom.group", "1"},
        {"cpu.max", "250000 100000"},
        {"pids.max", "1"}}},
  };
  for (const Row& row : rows) {
    config::Isolation isolation;
    isolation.memory = row.memory;
    isolation.cpu = row.cpu;
    isolation.pids = row.pids;
    EXPECT_EQ(cgroup_values(isolation), row.values);
  }
}

TEST(CgroupNameTest, TellsItsMaster) {
  EXPECT_EQ(cgroup_name("shop", 812, 17), "shop.812.17");
  EXPECT_EQ(master_in("shop.812.17"), 812);
  EXPECT_EQ(master_in("my-shop_2.1.18446744073709551615"), 1);
  for (const char* other :
       {"", "shop", "viaduct-daemon", "shop.812", "shop.812.", "shop.812.17.1", "shop..17",
        "shop.x.17", "shop.812.17 ", "shop.08.1", "shop.9999999999.1",
        "shop.812.99999999999999999999", "init.scope", "a.service.1"}) {
    EXPECT_EQ(master_in(other), std::nullopt) << other;
  }
}

TEST(CgroupTreeTest, RemovesWhatKilledMastersLeft) {
  const TemporaryDirectory directory;
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  ::waitpid(gone, nullptr, 0);
  const std::string abandoned = directory / cgroup_name("shop", gone, 1);
  const std::string busy = directory / cgroup_name("shop", gone, 2);
  const std::string ours = directory / cgroup_name("shop", ::getpid(), 1);
  for (const std::string& path : {abandoned, busy, busy + "/inside", ours, directory / "other"}) {
    fs::create_directory(path);
  }
  CgroupTree tree(place_at(directory.path()));
  tree.remove_abandoned();
  EXPECT_FALSE(fs::exists(abandoned));
  EXPECT_TRUE(fs::exists(busy));
  EXPECT_TRUE(fs::exists(ours));
  EXPECT_TRUE(fs::exists(directory / "other"));
}

TEST(CgroupTreeTest, ErrorsNameTheFile) {
  const TemporaryDirectory directory;
  CgroupTree tree(place_at(directory.path()));
  EXPECT_EQ(error_of([&] { tree.enable({"memory"}); }),
            "cgroup: " + directory.path() +
                "/cgroup.subtree_control: No such file or directory (ENOENT)");
  EXPECT_EQ(
      error_of([&] {
        tree.create("shop.1.1", {{"pids.max", "1"}});
      }),
      "cgroup: " + directory.path() + "/shop.1.1/pids.max: No such file or directory (ENOENT)");
  EXPECT_FALSE(fs::exists(directory.path() + "/shop.1.1"));
  fs::create_directory(directory.path() + "/shop.1.2");
  EXPECT_EQ(error_of([&] { tree.create("shop.1.2", {}); }),
            "cgroup: " + directory.path() + "/shop.1.2: File exists (EEXIST)");
}

TEST(CgroupTreeTest, WithoutAPlaceSaysWhy) {
  const config::CgroupPlace none = no_cgroups();
  CgroupTree tree(none);
  EXPECT_FALSE(tree.available());
  EXPECT_EQ(error_of([&] { tree.enable({"memory"}); }), none.problem);
  EXPECT_EQ(error_of([&] { tree.create("shop.1.1", {}); }), none.problem);
}

TEST_F(RealCgroupTest, ProcessEntersAndCgroupGoesWithIt) {
  CgroupTree tree(place_at(directory_));
  const UniqueFd members = tree.create("shop.1.1", {});
  const pid_t pid = enter(members.get());
  EXPECT_EQ(text_of(directory_ + "/shop.1.1/cgroup.procs"), std::to_string(pid) + "\n");
  EXPECT_NE(text_of("/proc/" + std::to_string(pid) + "/cgroup").find("/shop.1.1\n"),
            std::string::npos);
  tree.remove("shop.1.1");  // kills what is inside
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  // What was busy then is removed with the next.
  tree.create("shop.1.2", {});
  EXPECT_FALSE(fs::exists(directory_ + "/shop.1.1"));
  tree.remove("shop.1.2");
  EXPECT_FALSE(fs::exists(directory_ + "/shop.1.2"));
}

TEST_F(RealCgroupTest, WhatIsInUseIsNotRemoved) {
  CgroupTree tree(place_at(directory_));
  const UniqueFd members = tree.create("shop.1.1", {});
  const pid_t pid = enter(members.get());
  EXPECT_FALSE(tree.remove_empty("shop.1.1"));
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  EXPECT_TRUE(tree.remove_empty("shop.1.1"));
  EXPECT_TRUE(tree.remove_empty("shop.1.1")) << "there is none";
}

TEST_F(RealCgroupTest, ItsEndWaitsForWhatItKilled) {
  pid_t pid = 0;
  {
    CgroupTree tree(place_at(directory_));
    const UniqueFd members = tree.create("shop.1.1", {});
    pid = enter(members.get());
    tree.remove("shop.1.1");
  }
  EXPECT_FALSE(fs::exists(directory_ + "/shop.1.1"));
  ::waitpid(pid, nullptr, 0);
}

// In a threaded cgroup there may be threads, not processes.
TEST_F(RealCgroupTest, AThreadedPlaceIsRefused) {
  std::ofstream(directory_ + "/cgroup.type") << "threaded";
  if (text_of(directory_ + "/cgroup.type") != "threaded\n") GTEST_SKIP() << "cannot be threaded";
  CgroupTree tree(place_at(directory_));
  EXPECT_EQ(error_of([&] { tree.create("shop.1.1", {}); }),
            "cgroup: " + directory_ + "/shop.1.1: Operation not supported (EOPNOTSUPP)");
  EXPECT_FALSE(fs::exists(directory_ + "/shop.1.1"));
}

TEST_F(RealCgroupTest, OwnProcessesMakeWay) {
  std::istringstream words(text_of(directory_ + "/cgroup.controllers"));
  std::string controller;
  if (!(words >> controller)) GTEST_SKIP() << "no controller is given to " << directory_;
  CgroupTree tree(place_at(directory_));
  const UniqueFd members(::open((directory_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  const pid_t pid = enter(members.get());
  tree.enable({controller});
  EXPECT_EQ(text_of(directory_ + "/viaduct-daemon/cgroup.procs"), std::to_string(pid) + "\n");
  EXPECT_EQ(text_of(directory_ + "/cgroup.subtree_control"), controller + "\n");
  tree.enable({controller});
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

}  // namespace
}  // namespace viaduct::daemon::master
