// The seam to the machine, on the machine.
#include "daemon/config/system.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <sstream>

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

TEST(RealSystem, FindsAProcessOfAUser) {
  const auto own = real_system().other_process_of(geteuid());
  ASSERT_TRUE(own);
  EXPECT_TRUE(own->starts_with("pid ")) << *own;
  EXPECT_FALSE(real_system().other_process_of(54321));
}

// A child of the user `uid`, named as a bridge is, that goes on to another program once it is told
// to.
class ChildOfUser {
 public:
  explicit ChildOfUser(uid_t uid) {
    if (::pipe2(ready_, O_CLOEXEC) != 0 || ::pipe2(go_, O_CLOEXEC) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) run(uid);
    ::close(ready_[1]);
    ::close(go_[0]);
    char byte = 0;
    EXPECT_EQ(::read(ready_[0], &byte, 1), 1);
  }
  ChildOfUser(const ChildOfUser&) = delete;
  ChildOfUser& operator=(const ChildOfUser&) = delete;
  ~ChildOfUser() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(ready_[0]);
    ::close(go_[1]);
  }

  // Returns when it is another program.
  void exec() {
    EXPECT_EQ(::write(go_[1], "", 1), 1);
    char byte = 0;
    EXPECT_EQ(::read(ready_[0], &byte, 1), 0);
  }

 private:
  [[noreturn]] void run(uid_t uid) {
    char byte = 0;
    ::prctl(PR_SET_NAME, "viaductd: bridge");
    if (::setuid(uid) == 0 && ::write(ready_[1], "", 1) == 1 && ::read(go_[0], &byte, 1) == 1) {
      ::execl("/bin/sleep", "sleep", "1000", nullptr);
    }
    ::_exit(1);
  }

  int ready_[2] = {-1, -1};
  int go_[2] = {-1, -1};
  pid_t pid_ = -1;
};

TEST(RealSystem, ABridgeBeforeItsExecIsNoOtherProcess) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  constexpr uid_t kUser = 54322;
  ChildOfUser child(kUser);
  EXPECT_EQ(real_system().other_process_of(kUser), std::nullopt);
  child.exec();
  const auto other = real_system().other_process_of(kUser);
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->ends_with("(sleep)")) << *other;
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

std::string text_of(const PinnedFile& pin) {
  const std::string path = "/proc/self/fd/" + std::to_string(pin->get());
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(RealSystem, PinsProgramsThatItCanRead) {
  const ConfigDir dir;
  const std::string path = dir.path("program");
  dir.write("program",
            "\x7f"
            "ELF old");
  const Program program = real_system().program("", path);
  EXPECT_EQ(program.identity, real_system().status(path).identity);
  ASSERT_TRUE(program.pin);
  EXPECT_EQ(fcntl(program.pin->get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(fcntl(program.pin->get(), F_GETFL) & O_PATH, O_PATH);
  dir.write("other",
            "\x7f"
            "ELF new");
  std::filesystem::rename(dir.path("other"), path);
  EXPECT_EQ(text_of(program.pin),
            "\x7f"
            "ELF old");
  EXPECT_EQ(text_of(real_system().program("", path).pin),
            "\x7f"
            "ELF new");
  EXPECT_NE(real_system().program("", path).identity, program.identity);

  dir.write("root/bin/program",
            "\x7f"
            "ELF inside");
  ASSERT_EQ(symlink("/bin/program", dir.path("root/link").c_str()), 0);
  const Program inside = real_system().program(dir.path("root"), "/link");
  ASSERT_TRUE(inside.pin);
  EXPECT_EQ(text_of(inside.pin),
            "\x7f"
            "ELF inside");
}

TEST(RealSystem, DoesNotPinWhatIsNoProgram) {
  const ConfigDir dir;
  dir.write("script", "#!/bin/sh\n");
  dir.write("short",
            "\x7f"
            "EL");
  ASSERT_EQ(mkfifo(dir.path("fifo").c_str(), 0600), 0);
  for (const char* name : {"script", "short", "fifo", "."}) {
    const Program program = real_system().program("", dir.path(name));
    EXPECT_EQ(program.identity, real_system().status(dir.path(name)).identity) << name;
    EXPECT_FALSE(program.pin) << name;
  }
  for (const char* root : {"", "/nowhere"}) {
    const Program none = real_system().program(root, dir.path("none"));
    EXPECT_FALSE(none.identity);
    EXPECT_FALSE(none.pin);
  }
}

TEST(RealSystem, PinsNothingWhenDescriptorsRunShort) {
  const ConfigDir dir;
  dir.write("program",
            "\x7f"
            "ELF");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = real_system().program("", dir.path("program")).pin->get();
  rlimit tight = before;
  for (const bool plenty : {true, false}) {
    tight.rlim_cur = static_cast<rlim_t>(2 * next) + (plenty ? 2 : 0);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
    const Program program = real_system().program("", dir.path("program"));
    EXPECT_EQ(program.pin != nullptr, plenty);
    EXPECT_TRUE(program.identity);
  }
  tight.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  EXPECT_TRUE(real_system().program("", dir.path("program")).identity) << "none is left";
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(RealSystem, SeesFilesAsAProcessWithAnotherRootDirectoryDoes) {
  const ConfigDir dir;
  dir.write("root/usr/bin/shop", "12345");
  dir.write("secret", "1");
  ASSERT_EQ(symlink("/usr/bin", dir.path("root/bin").c_str()), 0);
  ASSERT_EQ(symlink("../../../../../../secret", dir.path("root/up").c_str()), 0);
  ASSERT_EQ(symlink("loop", dir.path("root/loop").c_str()), 0);
  ASSERT_EQ(symlink("../usr/./bin/shop", dir.path("root/usr/link").c_str()), 0);
  const std::string root = dir.path("root");
  EXPECT_EQ(real_system().status_in(root, "/bin/shop").identity,
            real_system().status(dir.path("root/usr/bin/shop")).identity);
  EXPECT_EQ(real_system().status_in(root, "/").identity, real_system().status(root).identity);
  EXPECT_TRUE(S_ISDIR(real_system().status_in(root, "/usr").mode));
  EXPECT_EQ(real_system().status_in(root, "/up").error, ENOENT);
  EXPECT_EQ(real_system().status_in(root, "/secret").error, ENOENT);
  EXPECT_EQ(real_system().status_in(root, "/loop").error, ELOOP);
  EXPECT_EQ(real_system().status_in(root, "/usr/link").identity.size, 5u);
  EXPECT_EQ(real_system().status_in(root, "/../bin/../bin/shop").identity.size, 5u);
  EXPECT_EQ(real_system().status_in(dir.path("none"), "/").error, ENOENT);
  EXPECT_EQ(real_system().status_in(dir.path("secret"), "/").error, ENOTDIR);
}

// Every step is tried on a thread, and none of it may stay.
TEST(RealIsolationProbe, LeavesTheProcessAsItWas) {
  const auto state = [] {
    std::string line;
    std::ostringstream text;
    text << std::ifstream("/proc/self/mountinfo").rdbuf();
    for (std::ifstream file("/proc/self/status"); std::getline(file, line);)
      if (line.starts_with("Cap") || line.starts_with("Cpus")) text << line << '\n';
    text << getpriority(PRIO_PROCESS, 0) << std::filesystem::read_symlink("/proc/self/root");
    return text.str();
  };
  const std::string before = state();
  const IsolationProbe& probe = real_isolation_probe();
  probe.change_root("/usr");
  probe.set_nice(5);
  probe.mount();
  probe.drop_capabilities();
  probe.use_cpu(0);
  EXPECT_EQ(state(), before);
}

TEST(RealIsolationProbe, AnswersWithTheErrorOfTheStep) {
  const IsolationProbe& probe = real_isolation_probe();
  EXPECT_EQ(probe.set_nice(getpriority(PRIO_PROCESS, 0)), 0);
  EXPECT_EQ(probe.limit_files(16), 0);
  EXPECT_EQ(probe.limit_files(std::numeric_limits<std::uint64_t>::max()), EPERM);
  EXPECT_EQ(probe.limit_core(0), 0);
  EXPECT_EQ(probe.use_cpu(1023), EINVAL);
  if (geteuid() != 0) {
    EXPECT_EQ(probe.change_root("/usr"), EPERM);
    EXPECT_EQ(probe.drop_capabilities(), EPERM);
  } else {
    EXPECT_EQ(probe.change_root("/nonexistent"), ENOENT);
  }
}

}  // namespace
}  // namespace viaduct::daemon::config
