#include "daemon/master/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include <gtest/gtest.h>

#include "daemon/master/descriptor_limit.hpp"
#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

// Runs /bin/sh -c SCRIPT through the seam with a pipe as descriptor 1.
class ProcessTest : public testing::Test {
 protected:
  ProcessTest() : null_(::open("/dev/null", O_RDWR | O_CLOEXEC)) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    read_.reset(ends[0]);
    write_.reset(ends[1]);
  }

  SpawnSpec shell(const std::string& script) const {
    SpawnSpec spec;
    spec.executable = "/bin/sh";
    spec.arguments = {"sh", "-c", script};
    spec.environment = {"PATH=/usr/bin:/bin"};
    spec.descriptors = {null_.get(), write_.get(), write_.get()};
    return spec;
  }

  // What the child wrote until it closed its end.
  std::string output() {
    write_.reset();
    std::string text;
    std::array<char, 4096> chunk;
    for (;;) {
      const ssize_t size = ::read(read_.get(), chunk.data(), chunk.size());
      if (size <= 0) return text;
      text.append(chunk.data(), static_cast<std::size_t>(size));
    }
  }

  static std::optional<SpawnFailure> failure(const Spawned& spawned) {
    pollfd ready{spawned.report.get(), POLLIN, 0};
    ::poll(&ready, 1, 10'000);
    std::array<std::byte, 64> bytes;
    const ssize_t size = ::read(spawned.report.get(), bytes.data(), bytes.size());
    if (size <= 0) return std::nullopt;
    return read_failure(std::span(bytes.data(), static_cast<std::size_t>(size)));
  }

  static bool any(pid_t /*pid*/) { return true; }

  static int wait(pid_t pid) {
    siginfo_t info;
    ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
    const auto exit = reap(any);
    EXPECT_TRUE(exit);
    EXPECT_EQ(exit->pid, pid);
    return exit->status;
  }

  UniqueFd null_, read_, write_;
};

TEST_F(ProcessTest, WhatIsLeftOfItsGroupIsKilledAndThatOfAnAdoptedOneIsNot) {
  // The orphan becomes a child of this process: not every first process waits for it.
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  for (const bool ours : {true, false}) {
    SpawnSpec spec = shell("sleep 1000 & exit");
    spec.own_session = true;
    const Spawned leader = spawn(std::move(spec));
    siginfo_t info;
    ::waitid(P_PID, static_cast<id_t>(leader.pid), &info, WEXITED | WNOWAIT);
    EXPECT_TRUE(reap([&](pid_t pid) { return ours && pid == leader.pid; }));
    if (!ours) {
      EXPECT_EQ(::waitpid(-leader.pid, nullptr, WNOHANG), 0) << "it lives";
      EXPECT_EQ(::kill(-leader.pid, SIGKILL), 0);
    }
    int status = 0;
    EXPECT_GT(::waitpid(-leader.pid, &status, 0), 0);
    EXPECT_TRUE(WIFSIGNALED(status));
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_F(ProcessTest, RunsAndIsReaped) {
  const Spawned spawned = spawn(shell("echo hello; exit 3"));
  EXPECT_EQ(output(), "hello\n");
  EXPECT_FALSE(failure(spawned));
  EXPECT_EQ(WEXITSTATUS(wait(spawned.pid)), 3);
  EXPECT_FALSE(reap(any));
}

TEST_F(ProcessTest, OnlyTheGivenDescriptorsAreOpen) {
  const UniqueFd leaked(::open("/dev/null", O_RDONLY));
  ASSERT_GE(leaked.get(), 3);
  // The listing has a descriptor of its own, closed again before readlink sees it.
  const Spawned spawned =
      spawn(shell("for fd in /proc/$$/fd/*; do [ -e $fd ] && echo ${fd##*/}; done"));
  EXPECT_EQ(output(), "0\n1\n2\n");
  wait(spawned.pid);
}

TEST_F(ProcessTest, DescriptorsMayTradePlaces) {
  SpawnSpec spec = shell("echo out; echo three >&3");
  // Source numbers are target numbers of others.
  spec.descriptors = {write_.get(), write_.get(), 0, write_.get()};
  const Spawned spawned = spawn(std::move(spec));
  EXPECT_EQ(output(), "out\nthree\n");
  wait(spawned.pid);
}

TEST_F(ProcessTest, LeadsItsOwnSessionAndGroup) {
  const Spawned spawned =
      spawn(shell("set -- $(cut -d' ' -f5,6 /proc/$$/stat); "
                  "[ $1 = $$ ] && [ $2 = $$ ] && echo leader"));
  EXPECT_EQ(output(), "leader\n");
  wait(spawned.pid);
}

TEST_F(ProcessTest, SignalsAreBackAtTheirDefaults) {
  ::signal(SIGUSR2, SIG_IGN);
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  const Spawned spawned = spawn(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status"));
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGUSR2, SIG_DFL);
  EXPECT_EQ(output(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  wait(spawned.pid);
}

TEST_F(ProcessTest, DirectoryAndUmaskAreSet) {
  SpawnSpec spec = shell("pwd; umask");
  spec.directory = "/usr";
  spec.umask = 0027;
  const Spawned spawned = spawn(std::move(spec));
  EXPECT_EQ(output(), "/usr\n0027\n");
  wait(spawned.pid);
}

TEST_F(ProcessTest, NoNewPrivilegesAndDeathWithTheParent) {
  const Spawned spawned = spawn(shell("grep NoNewPrivs /proc/self/status"));
  EXPECT_EQ(output(), "NoNewPrivs:\t1\n");
  wait(spawned.pid);
}

TEST_F(ProcessTest, CredentialsAreDropped) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  SpawnSpec spec = shell("id -u; id -g; id -G");
  spec.account = config::Account{.uid = 65534,
                                 .gid = 65534,
                                 .groups = {1, 65534},
                                 .name = "nobody",
                                 .home = "/",
                                 .shell = "/bin/sh"};
  const Spawned spawned = spawn(std::move(spec));
  EXPECT_EQ(output(), "65534\n65534\n65534 1\n");
  wait(spawned.pid);
}

TEST_F(ProcessTest, FailuresNameStageAndError) {
  struct Row {
    const char* executable;
    const char* directory;
    SpawnStage stage;
    int error;
  };
  const Row rows[] = {
      {"/nonexistent", "", SpawnStage::exec, ENOENT},
      {"/etc/passwd", "", SpawnStage::exec, EACCES},
      {"/", "", SpawnStage::exec, EACCES},
      {"/bin/sh", "/nonexistent", SpawnStage::directory, ENOENT},
      {"/bin/sh", "/etc/passwd", SpawnStage::directory, ENOTDIR},
  };
  for (const Row& row : rows) {
    SpawnSpec spec = shell("exit 0");
    spec.executable = row.executable;
    spec.directory = row.directory;
    const Spawned spawned = spawn(std::move(spec));
    const auto report = failure(spawned);
    ASSERT_TRUE(report) << row.executable;
    EXPECT_EQ(to_string(report->stage), to_string(row.stage));
    EXPECT_EQ(report->error, row.error);
    EXPECT_EQ(WEXITSTATUS(wait(spawned.pid)), 127);
  }
}

// A program that was pinned, and what became of its path.
class PinnedProgram : public ProcessTest {
 protected:
  PinnedProgram() {
    std::filesystem::copy_file("/bin/sh", path_);
    pin_.reset(::open(path_.c_str(), O_PATH | O_CLOEXEC));
  }

  void replace() {
    std::filesystem::copy_file("/bin/false", path_ + ".new");
    std::filesystem::rename(path_ + ".new", path_);
  }
  SpawnSpec pinned(const std::string& script) const {
    SpawnSpec spec = shell(script);
    spec.executable = path_;
    spec.arguments[0] = "shop";
    spec.pinned_file = pin_.get();
    return spec;
  }
  // As somebody to whom permissions apply.
  static void become_nobody(SpawnSpec& spec) {
    if (::geteuid() != 0) return;
    spec.account = config::Account{65534, 65534, {}, "nobody", "/", "/bin/sh"};
  }
  void expect_failure(SpawnSpec spec, int error) {
    const Spawned spawned = spawn(std::move(spec));
    const auto report = failure(spawned);
    ASSERT_TRUE(report);
    EXPECT_EQ(to_string(report->stage), to_string(SpawnStage::exec));
    EXPECT_EQ(report->error, error);
    wait(spawned.pid);
  }

  static constexpr const char* kWhoAmI =
      "readlink /proc/$$/exe; cat /proc/$$/comm; tr '\\0' , </proc/$$/cmdline | cut -c 1-8; "
      "for fd in /proc/$$/fd/*; do [ -e $fd ] && echo ${fd##*/}; done";

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/program";
  UniqueFd pin_;
};

TEST_F(PinnedProgram, RunsByItsPathAsLongAsThatNamesIt) {
  const Spawned spawned = spawn(pinned(kWhoAmI));
  EXPECT_EQ(output(), path_ + "\nprogram\nshop,-c,\n0\n1\n2\n");
  wait(spawned.pid);
}

TEST_F(PinnedProgram, RunsThoughAnotherHasTakenItsPlace) {
  replace();
  const Spawned spawned =
      spawn(pinned("readlink /proc/$$/exe; tr '\\0' , </proc/$$/cmdline | "
                   "cut -c 1-8; for fd in /proc/$$/fd/*; do "
                   "[ -e $fd ] && echo ${fd##*/}; done"));
  EXPECT_FALSE(failure(spawned));
  EXPECT_EQ(output(), path_ + " (deleted)\nshop,-c,\n0\n1\n2\n");
  wait(spawned.pid);
}

TEST_F(PinnedProgram, RunsThoughItsPathIsGone) {
  std::filesystem::remove(path_);
  SpawnSpec spec = pinned("echo here");
  // Its number is that of another target.
  const UniqueFd low(::fcntl(pin_.get(), F_DUPFD_CLOEXEC, 0));
  spec.pinned_file = low.get();
  spec.descriptors.resize(static_cast<std::size_t>(low.get()) + 1, write_.get());
  const Spawned spawned = spawn(std::move(spec));
  EXPECT_EQ(output(), "here\n");
  wait(spawned.pid);
}

TEST_F(PinnedProgram, WithoutAPinThePathCounts) {
  replace();
  SpawnSpec spec = pinned("echo here");
  spec.pinned_file = -1;
  const Spawned spawned = spawn(std::move(spec));
  EXPECT_EQ(output(), "");
  EXPECT_EQ(WEXITSTATUS(wait(spawned.pid)), 1) << "/bin/false";
}

TEST_F(PinnedProgram, DirectoryThatMayNotBeSearchedIsInTheWay) {
  std::filesystem::permissions(directory_.path(), std::filesystem::perms::none);
  SpawnSpec spec = pinned("exit 0");
  become_nobody(spec);
  expect_failure(std::move(spec), EACCES);
  std::filesystem::permissions(directory_.path(), std::filesystem::perms::owner_all);
}

TEST_F(PinnedProgram, PermissionsOfTheFileCount) {
  std::filesystem::permissions(path_, std::filesystem::perms::owner_read);
  std::filesystem::permissions(directory_.path(), std::filesystem::perms::all);
  std::filesystem::remove(path_);
  SpawnSpec spec = pinned("exit 0");
  become_nobody(spec);
  expect_failure(std::move(spec), EACCES);
}

// The hard limit stays, so that the program may raise its own.
TEST_F(ProcessTest, TheSoftLimitOfDescriptorsIsSetAlone) {
  rlimit own{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &own), 0);
  SpawnSpec spec = shell("ulimit -Sn; ulimit -Hn");
  spec.confinement.soft_files = 100;
  const Spawned spawned = spawn(std::move(spec));
  EXPECT_EQ(output(), "100\n" + std::to_string(own.rlim_max) + "\n");
  wait(spawned.pid);
}

TEST_F(ProcessTest, TheLimitThatAnAppAsksForComesFirst) {
  SpawnSpec spec = shell("ulimit -Sn; ulimit -Hn");
  spec.confinement.soft_files = 100;
  spec.confinement.open_files = 90;
  const Spawned spawned = spawn(std::move(spec));
  EXPECT_EQ(output(), "90\n90\n");
  wait(spawned.pid);
}

TEST_F(ProcessTest, TheLimitIsRaisedAsFarAsTheHardOneAndNeverLowered) {
  const auto soft = [] {
    rlimit now{};
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
    return now.rlim_cur;
  };
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{128, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  DescriptorLimit limit;
  limit.raise(200);
  EXPECT_EQ(soft(), 200u);
  limit.raise(10);
  EXPECT_EQ(soft(), 128u);
  limit.raise(UINT64_MAX);
  EXPECT_EQ(soft(), before.rlim_max);
  EXPECT_EQ(limit.original(), 128u);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

struct Refused {
  SpawnStage stage;
  int error;
  int item;
  void (*confine)(Confinement&);
};

const Refused kRefused[] = {
    {SpawnStage::cgroup, EBADF, 0, [](Confinement& self) { self.cgroup = 1'000'000; }},
    {SpawnStage::open_files, EPERM, 0, [](Confinement& self) { self.open_files = 1ull << 40; }},
    {SpawnStage::cpus, EINVAL, 0, [](Confinement& self) { CPU_ZERO(&self.cpus.emplace()); }},
    {SpawnStage::chroot, ENOENT, 0, [](Confinement& self) { self.root = "/nonexistent"; }},
    {SpawnStage::chroot, ENOTDIR, 0, [](Confinement& self) { self.root = "/etc/passwd"; }},
    {SpawnStage::mounts, ENOENT, 0,
     [](Confinement& self) {
       self.root = "/nonexistent";
       self.private_tmp = true;
     }},
    {SpawnStage::read_only, ENOENT, 1,
     [](Confinement& self) {
       self.read_only = {"/etc", "/nonexistent"};
     }},
    // Not one that the kernel knows.
    {SpawnStage::ambient, EINVAL, 0, [](Confinement& self) { self.capabilities = 1ull << 62; }},
};

TEST_F(ProcessTest, WhatCannotBeTakenNamesStageAndError) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  for (const Refused& row : kRefused) {
    SpawnSpec spec = shell("exit 0");
    spec.account = config::Account{.uid = 65534,
                                   .gid = 65534,
                                   .groups = {},
                                   .name = "nobody",
                                   .home = "/",
                                   .shell = "/bin/sh"};
    row.confine(spec.confinement);
    const Spawned spawned = spawn(std::move(spec));
    const auto report = failure(spawned);
    ASSERT_TRUE(report) << to_string(row.stage);
    if (report->stage == SpawnStage::mounts && report->error == EPERM) {
      wait(spawned.pid);
      GTEST_SKIP() << "mount namespaces are forbidden here";
    }
    EXPECT_EQ(to_string(report->stage), to_string(row.stage));
    EXPECT_EQ(report->error, row.error) << to_string(row.stage);
    EXPECT_EQ(report->item, row.item) << to_string(row.stage);
    EXPECT_EQ(WEXITSTATUS(wait(spawned.pid)), 127);
  }
}

TEST_F(ProcessTest, UnprivilegedIsRefusedWhatOnlyRootMayTake) {
  if (::geteuid() == 0) GTEST_SKIP() << "needs an ordinary user";
  const Refused rows[] = {
      {SpawnStage::nice, EACCES, 0, [](Confinement& self) { self.nice = -20; }},
      {SpawnStage::chroot, EPERM, 0, [](Confinement& self) { self.root = "/usr"; }},
      {SpawnStage::mounts, EPERM, 0, [](Confinement& self) { self.private_tmp = true; }},
      {SpawnStage::capabilities, EPERM, 0, [](Confinement& self) { self.capabilities = 0; }},
  };
  for (const Refused& row : rows) {
    SpawnSpec spec = shell("exit 0");
    row.confine(spec.confinement);
    const Spawned spawned = spawn(std::move(spec));
    const auto report = failure(spawned);
    ASSERT_TRUE(report) << to_string(row.stage);
    EXPECT_EQ(to_string(report->stage), to_string(row.stage));
    EXPECT_EQ(report->error, row.error) << to_string(row.stage);
    wait(spawned.pid);
  }
}

TEST_F(ProcessTest, SignalReachesTheWholeGroup) {
  const Spawned spawned = spawn(shell("sleep 1000 & echo started; wait"));
  write_.reset();
  char byte = 0;
  ASSERT_EQ(::read(read_.get(), &byte, 1), 1);
  signal_group(spawned.pid, SIGKILL);
  // End of file: the sleeping grandchild, which has the pipe, is gone as well.
  output();
  EXPECT_EQ(WTERMSIG(wait(spawned.pid)), SIGKILL);
}

TEST_F(ProcessTest, GrandchildrenDieWithTheLeader) {
  const Spawned spawned = spawn(shell("sleep 1000 & exit 0"));
  write_.reset();
  wait(spawned.pid);
  output();
}

TEST(SpawnReportTest, CutReportIsNone) {
  const SpawnFailure failure{SpawnStage::exec, ENOENT};
  const auto bytes = std::as_bytes(std::span(&failure, 1));
  EXPECT_TRUE(read_failure(bytes));
  EXPECT_FALSE(read_failure(bytes.first(bytes.size() - 1)));
  EXPECT_FALSE(read_failure({}));
}

}  // namespace
}  // namespace viaduct::daemon::master
