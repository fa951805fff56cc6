#include "daemon/master/worker_spec.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

class FailureTextTest : public testing::Test {
 protected:
  FailureTextTest() {
    char name[] = "/tmp/viaduct-spec-XXXXXX";
    directory_ = ::mkdtemp(name);
    ::chmod(directory_.c_str(), 0755);
    app_.name = "shop";
    app_.identity.account = {.uid = 65534,
                             .gid = 65534,
                             .groups = {},
                             .name = "nobody",
                             .home = "/",
                             .shell = "/bin/sh"};
    app_.directory = directory_;
    app_.executable = directory_ + "/shop";
    app_.command = {app_.executable};
  }
  ~FailureTextTest() override { std::filesystem::remove_all(directory_); }

  std::string text(SpawnStage stage, int error) const { return failure_text(app_, {stage, error}); }

  std::string directory_;
  config::AppSettings app_;
};

TEST_F(FailureTextTest, NamesTheDirectoryThatMayNotBeSearched) {
  ::chmod(directory_.c_str(), 0700);
  app_.identity.account.uid = ::geteuid() + 1;
  app_.identity.account.gid = ::getegid() + 1;
  EXPECT_EQ(text(SpawnStage::exec, EACCES), "shop: exec " + app_.executable +
                                                ": Permission denied (EACCES): user nobody cannot "
                                                "search " +
                                                directory_);
}

TEST_F(FailureTextTest, SaysThatTheFileIsNotExecutable) {
  std::ofstream(app_.executable) << "x";
  ::chmod(app_.executable.c_str(), 0644);
  EXPECT_EQ(text(SpawnStage::exec, EACCES),
            "shop: exec " + app_.executable +
                ": Permission denied (EACCES): user nobody cannot execute it");
}

TEST_F(FailureTextTest, MissingFileAndMissingInterpreterDiffer) {
  EXPECT_EQ(text(SpawnStage::exec, ENOENT),
            "shop: exec " + app_.executable + ": No such file or directory (ENOENT)");
  std::ofstream(app_.executable) << "#!/nonexistent/interpreter\n";
  EXPECT_NE(text(SpawnStage::exec, ENOENT).find("interpreter"), std::string::npos);
}

TEST_F(FailureTextTest, DirectoryIsNamed) {
  app_.directory = "/nonexistent";
  EXPECT_EQ(text(SpawnStage::directory, ENOENT),
            "shop: chdir /nonexistent: No such file or directory (ENOENT)");
}

TEST_F(FailureTextTest, OtherStagesAreNamed) {
  EXPECT_EQ(text(SpawnStage::user, EPERM), "shop: set user: Operation not permitted (EPERM)");
}

TEST_F(FailureTextTest, EveryStageHasWords) {
  const std::pair<SpawnStage, const char*> rows[] = {
      {SpawnStage::session, "setsid"},
      {SpawnStage::cgroup, "enter cgroup"},
      {SpawnStage::descriptors, "descriptors"},
      {SpawnStage::open_files, "limit open files"},
      {SpawnStage::core, "limit core files"},
      {SpawnStage::nice, "set nice value"},
      {SpawnStage::cpus, "set CPU affinity"},
      {SpawnStage::mounts, "mount namespace"},
      {SpawnStage::private_tmp, "mount private /tmp"},
      {SpawnStage::capabilities, "drop capabilities"},
      {SpawnStage::groups, "set groups"},
      {SpawnStage::group, "set group"},
      {SpawnStage::ambient, "keep capabilities"},
      {SpawnStage::privileges, "restrict privileges"},
  };
  for (const auto& [stage, words] : rows) {
    EXPECT_EQ(text(stage, EINVAL), "shop: " + std::string(words) + ": Invalid argument (EINVAL)");
  }
}

TEST_F(FailureTextTest, RootDirectoryAndWhatIsInsideAreNamed) {
  app_.isolation.chroot = directory_;
  app_.isolation.read_only = {"/etc", "/usr"};
  app_.executable = "/bin/shop";
  app_.directory = "/srv";
  EXPECT_EQ(text(SpawnStage::chroot, ENOENT),
            "shop: chroot " + directory_ + ": No such file or directory (ENOENT)");
  EXPECT_EQ(failure_text(app_, {SpawnStage::read_only, ENOENT, 1}),
            "shop: mount read-only /usr in " + directory_ + ": No such file or directory (ENOENT)");
  EXPECT_EQ(failure_text(app_, {SpawnStage::read_only, ENOENT, 2}),
            "shop: mount read-only: No such file or directory (ENOENT)");
  EXPECT_EQ(text(SpawnStage::directory, ENOENT),
            "shop: chdir /srv in " + directory_ + ": No such file or directory (ENOENT)");
  EXPECT_EQ(text(SpawnStage::exec, ENOENT),
            "shop: exec /bin/shop in " + directory_ + ": No such file or directory (ENOENT)");
  std::filesystem::create_directory(directory_ + "/bin");
  std::ofstream(directory_ + "/bin/shop") << "#!/bin/sh\n";
  EXPECT_NE(text(SpawnStage::exec, ENOENT).find("interpreter"), std::string::npos);
  ::chmod((directory_ + "/bin/shop").c_str(), 0644);
  EXPECT_EQ(text(SpawnStage::exec, EACCES),
            "shop: exec /bin/shop in " + directory_ +
                ": Permission denied (EACCES): user nobody cannot execute it");
}

TEST_F(FailureTextTest, PinnedProgramIsHandedOnBesideItsPath) {
  EXPECT_EQ(worker_spec(app_, "shop/1", 7, {}, 10, 11, 12).pinned_file, -1);
  app_.pinned_file = std::make_shared<const UniqueFd>(::dup(0));
  const SpawnSpec spec = worker_spec(app_, "shop/1", 7, {}, 10, 11, 12);
  EXPECT_EQ(spec.pinned_file, app_.pinned_file->get());
  EXPECT_EQ(spec.executable, app_.executable);
}

using Isolation = config::Isolation;

TEST_F(FailureTextTest, IsolationBecomesWhatTheChildTakesFromItself) {
  const SpawnSpec unchanged = worker_spec(app_, "shop/1", 7, {}, 10, 11, 12);
  EXPECT_TRUE(unchanged.no_new_privileges);
  EXPECT_EQ(unchanged.confinement.cgroup, -1);
  EXPECT_FALSE(unchanged.confinement.open_files || unchanged.confinement.core ||
               unchanged.confinement.nice || unchanged.confinement.cpus ||
               unchanged.confinement.capabilities || unchanged.confinement.private_tmp);
  EXPECT_EQ(unchanged.confinement.root, "");
  EXPECT_TRUE(unchanged.confinement.read_only.empty());

  using Check = bool (*)(const SpawnSpec&);
  const std::pair<void (*)(Isolation&), Check> rows[] = {
      {[](Isolation& key) { key.no_new_privs = false; },
       [](const SpawnSpec& spec) { return !spec.no_new_privileges; }},
      {[](Isolation& key) { key.chroot = "/jail"; },
       [](const SpawnSpec& spec) { return spec.confinement.root == "/jail"; }},
      {[](Isolation& key) { key.nice = -3; },
       [](const SpawnSpec& spec) { return spec.confinement.nice == -3; }},
      {[](Isolation& key) {
         key.cpus = {0, 1023};
       },
       [](const SpawnSpec& spec) {
         const auto& cpus = spec.confinement.cpus;
         return cpus && CPU_COUNT(&*cpus) == 2 && CPU_ISSET(0, &*cpus) && CPU_ISSET(1023, &*cpus);
       }},
      {[](Isolation& key) { key.capabilities.emplace(); },
       [](const SpawnSpec& spec) { return spec.confinement.capabilities == 0u; }},
      {[](Isolation& key) {
         key.capabilities = {0, 40};
       },
       [](const SpawnSpec& spec) { return spec.confinement.capabilities == 0x10000000001u; }},
      {[](Isolation& key) { key.private_tmp = true; },
       [](const SpawnSpec& spec) { return spec.confinement.private_tmp; }},
      {[](Isolation& key) { key.read_only = {"/etc"}; },
       [](const SpawnSpec& spec) { return spec.confinement.read_only.front() == "/etc"; }},
      {[](Isolation& key) { key.nofile = 100; },
       [](const SpawnSpec& spec) { return spec.confinement.open_files == 100u; }},
      {[](Isolation& key) { key.core = 0; },
       [](const SpawnSpec& spec) { return spec.confinement.core == 0u; }},
  };
  for (std::size_t index = 0; index < std::size(rows); ++index) {
    app_.isolation = {};
    rows[index].first(app_.isolation);
    EXPECT_TRUE(rows[index].second(worker_spec(app_, "shop/1", 7, {}, 10, 11, 12))) << index;
  }
}

TEST_F(FailureTextTest, WorkerHasItsSocketOnDescriptorZero) {
  const SpawnSpec spec = worker_spec(app_, "shop/1", 7, {}, 10, 11, 12);
  EXPECT_EQ(spec.descriptors, (std::vector<int>{10, 11, 12}));
  EXPECT_EQ(spec.arguments, app_.command);
  EXPECT_EQ(spec.directory, directory_);
  EXPECT_EQ(spec.account.has_value(), ::geteuid() == 0);
}

// By it the processes that a worker leaves are found, and of an environment the beginning is read.
TEST(WorkerSpecTest, TheSerialStandsInFrontOfTheEnvironment) {
  config::AppSettings app;
  app.name = "shop";
  app.command = {"/bin/true"};
  const SpawnSpec spec =
      worker_spec(app, "shop/1", 7, {{"A", std::string(100'000, 'x')}, {"Z", "1"}}, -1, -1, -1);
  ASSERT_FALSE(spec.environment.empty());
  EXPECT_EQ(spec.environment.front(), "VIADUCT_WORKER_SERIAL=7");
  EXPECT_EQ(std::count(spec.environment.begin(), spec.environment.end(), "VIADUCT_APP=shop"), 1);
}

}  // namespace
}  // namespace viaduct::daemon::master
