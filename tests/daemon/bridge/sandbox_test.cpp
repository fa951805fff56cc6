// The sandbox from within: a process enters it and tries what is forbidden.
#include "daemon/bridge/sandbox/sandbox.hpp"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/bridge/names/resolv_conf.hpp"
#include "daemon/bridge/sandbox/file_rules.hpp"
#include "daemon/bridge/sandbox/syscall_filter.hpp"
#include "tests/support/sanitizers.hpp"

namespace viaduct::daemon::bridge {
namespace {

struct Outcome {
  int status = 0;      // of waitpid
  std::string output;  // on descriptor 2
};

// Runs `work` in a process of its own, which ends with what it returns.
Outcome in_process(const std::function<int()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    const rlimit none{};
    ::setrlimit(RLIMIT_CORE, &none);
    ::_exit(work());
  }
  ::close(ends[1]);
  Outcome outcome;
  std::array<char, 256> bytes;
  for (ssize_t count = 0; (count = ::read(ends[0], bytes.data(), bytes.size())) > 0;) {
    outcome.output.append(bytes.data(), static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  ::waitpid(child, &outcome.status, 0);
  return outcome;
}

constexpr int kNoSandbox = 125;

class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (test::kAddressSanitizer || test::kThreadSanitizer) {
      GTEST_SKIP() << "sanitizers need what the sandbox takes";
    }
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  }
  void TearDown() override { ::rmdir(directory.c_str()); }

  // The error of `attempt` under the filter of system calls: 0 when it succeeds.
  Outcome under_filter(const std::function<long()>& attempt) {
    return in_process([&] {
      if (filter_syscalls()) return kNoSandbox;
      return attempt() < 0 ? errno : 0;
    });
  }
  // The same under the rules for files.
  int under_rules(const std::function<long()>& attempt) {
    const Outcome outcome = in_process([&] {
      if (restrict_files(directory)) return kNoSandbox;
      return attempt() < 0 ? errno : 0;
    });
    return WEXITSTATUS(outcome.status);
  }

  std::string directory = "/tmp/viaduct-sandbox-XXXXXX";
};

#define EXPECT_ERROR(outcome, error)                                                   \
  EXPECT_TRUE(WIFEXITED((outcome).status) && WEXITSTATUS((outcome).status) == (error)) \
      << "status " << (outcome).status << ' ' << (outcome).output

TEST_F(SandboxTest, WhatABridgeDoesIsAllowed) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  const Outcome outcome = under_filter([&]() -> long {
    std::thread thread([] {});
    thread.join();
    const int on = 1;
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) return -1;
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), size) != 0 &&
        errno != EINPROGRESS) {
      return -1;
    }
    const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0 || ::fcntl(accepted, F_DUPFD_CLOEXEC, 0) < 0) return -1;
    if (::setsockopt(accepted, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) != 0) return -1;
    return ::shutdown(accepted, SHUT_WR);
  });
  EXPECT_ERROR(outcome, 0);
  ::close(listener);
}

TEST_F(SandboxTest, WhatItDoesNotFails) {
  int sockets[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  std::string name = directory + "/file-XXXXXX";
  const int file = ::mkstemp(name.data());
  const int on = 1;
  void* const page =
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const struct {
    const char* what;
    std::function<long()> attempt;
  } cases[] = {
      {"fork", [] { return ::fork(); }},
      {"a process by clone", [] { return ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }},
      {"another's signal", [] { return ::kill(::getppid(), SIGCONT); }},
      {"everybody's signal", [] { return ::kill(-1, SIGCONT); }},
      {"shutdown for reading", [&] { return ::shutdown(sockets[0], SHUT_RD); }},
      {"shutdown of both", [&] { return ::shutdown(sockets[0], SHUT_RDWR); }},
      {"a raw socket's family", [] { return ::socket(AF_PACKET, SOCK_RAW, 0); }},
      {"a netlink socket", [] { return ::socket(AF_NETLINK, SOCK_RAW, 0); }},
      {"listening", [&] { return ::listen(sockets[0], 1); }},
      {"an option that is not used",
       [&] { return ::setsockopt(sockets[0], SOL_SOCKET, SO_RCVBUF, &on, sizeof on); }},
      {"an option that connections would inherit",
       [&] { return ::setsockopt(sockets[0], SOL_SOCKET, SO_RCVLOWAT, &on, sizeof on); }},
      {"a filter that connections would inherit",
       [&] { return ::setsockopt(sockets[0], SOL_SOCKET, SO_ATTACH_FILTER, &on, sizeof on); }},
      {"a device that a listener would keep to",
       [&] { return ::setsockopt(sockets[0], SOL_SOCKET, SO_BINDTODEVICE, "lo", 3); }},
      {"truncating a descriptor", [&] { return ::ftruncate(file, 0); }},
      {"truncating a file", [&] { return ::truncate(name.c_str(), 0); }},
      {"punching a hole", [&] { return ::fallocate(file, 0, 0, 1); }},
      {"writing elsewhere than at the end", [&] { return ::fcntl(file, F_SETFL, 0); }},
      {"writing over what is there",
       [&] {
         char byte = 'x';
         const iovec piece{&byte, 1};
         constexpr int kNoAppend = 0x20;  // RWF_NOAPPEND
         return ::syscall(SYS_pwritev2, file, &piece, 1, 0L, 0L, kNoAppend);
       }},
      {"memory that is executed",
       [] {
         void* made =
             ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         return made == MAP_FAILED ? -1 : 0;
       }},
      {"executing what was written", [&] { return ::mprotect(page, 4096, PROT_READ | PROT_EXEC); }},
      {"writing over the program's code",
       [] {
         const auto code = reinterpret_cast<std::uintptr_t>(&filter_syscalls) & ~4095UL;
         return ::mprotect(reinterpret_cast<void*>(code), 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
       }},
      {"splice", [&] { return ::splice(sockets[0], nullptr, file, nullptr, 1, 0); }},
      {"chmod", [&] { return ::chmod(name.c_str(), 0777); }},
      {"chown", [&] { return ::fchown(file, 0, 0); }},
      {"renaming", [&] { return ::rename(name.c_str(), "/tmp/other"); }},
      {"another handler for its end",
       [] {
         struct sigaction ignore {};
         ignore.sa_handler = SIG_IGN;
         return ::sigaction(SIGSYS, &ignore, nullptr);
       }},
      {"the same by a number of more than 32 bits", [] {
         const long number = (1L << 32) | SIGSYS;
         return ::syscall(SYS_rt_sigaction, number, nullptr, nullptr, 8);
       }}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_ERROR(under_filter(c.attempt), EPERM);
  }
  ::unlink(name.c_str());
  for (const int descriptor : {sockets[0], sockets[1], file}) ::close(descriptor);
  ::munmap(page, 4096);
}

// Asio, which asks for it, has to go on.
TEST_F(SandboxTest, NoListenerIsMadeToBlock) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  const Outcome outcome = under_filter([&] {
    int off = 0;
    return ::ioctl(listener, FIONBIO, &off);
  });
  EXPECT_ERROR(outcome, 0);
  EXPECT_NE(::fcntl(listener, F_GETFL) & O_NONBLOCK, 0);
  ::close(listener);
}

TEST_F(SandboxTest, WhatOnlyAnIntruderDoesEndsIt) {
  const struct {
    const char* name;
    std::function<long()> attempt;
  } cases[] = {
      {"execve", [] { return ::execl("/bin/true", "true", nullptr); }},
      {"ptrace", [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
      {"process_vm_readv",
       [] { return ::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0); }},
      {"mount", [] { return ::mount("none", "/tmp", "tmpfs", 0, nullptr); }},
      {"bpf", [] { return ::syscall(SYS_bpf, 0, nullptr, 0); }},
      {"io_uring_setup", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr); }},
      {"userfaultfd", [] { return ::syscall(SYS_userfaultfd, 0); }},
      {"keyctl", [] { return ::syscall(SYS_keyctl, 0, 0, 0, 0, 0); }},
      {"unshare", [] { return ::unshare(CLONE_NEWUSER); }},
      {"setns", [] { return ::setns(0, 0); }},
      {"pidfd_getfd", [] { return ::syscall(SYS_pidfd_getfd, 0, 0, 0); }}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const Outcome outcome = under_filter(c.attempt);
    EXPECT_TRUE(WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGSYS)
        << "status " << outcome.status;
    EXPECT_EQ(outcome.output,
              std::string("viaductd: bridge: the sandbox ends it: system call ") + c.name + "\n");
  }
}

TEST_F(SandboxTest, BlockingTheSignalDoesNotHelp) {
  const Outcome outcome = under_filter([] {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    return ::syscall(SYS_setns, 0, 0);
  });
  EXPECT_TRUE(WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGSYS);
}

#ifdef __x86_64__
TEST_F(SandboxTest, CallsOfAnotherArchitectureEndTheProcess) {
  const Outcome outcome = under_filter([] {
    std::thread([] {
      long result = 20;  // getpid of i386
      asm volatile("int $0x80" : "+a"(result) : : "memory");
    }).join();
    return 0L;
  });
  // SIGSEGV where the kernel has no such entry.
  EXPECT_TRUE(WIFSIGNALED(outcome.status)) << "status " << outcome.status;
  const Outcome x32 = under_filter([] {
    constexpr long kX32 = 0x40000000;
    std::thread([] { ::syscall(kX32 | SYS_getpid); }).join();
    return 0L;
  });
  EXPECT_TRUE(WIFSIGNALED(x32.status) && WTERMSIG(x32.status) == SIGSYS) << x32.status;
}
#endif

TEST_F(SandboxTest, FilesAreMadeInTheSpoolDirectoryAlone) {
  const std::string name = directory + "/body-XXXXXX";
  EXPECT_EQ(under_rules([&] {
              std::string chosen = name;
              const int file = ::mkostemp(chosen.data(), O_CLOEXEC);
              if (file < 0 || ::write(file, "x", 1) != 1) return -1;
              return ::unlink(chosen.c_str());
            }),
            0);
  EXPECT_EQ(under_rules([&] { return ::open(directory.c_str(), O_TMPFILE | O_RDWR, 0600); }), 0);
  EXPECT_EQ(under_rules([] { return ::open("/tmp/viaduct-elsewhere", O_CREAT | O_RDWR, 0600); }),
            EACCES);
  EXPECT_EQ(under_rules([&] { return ::mkdir((directory + "/d").c_str(), 0700); }), EACCES);
  EXPECT_EQ(under_rules([&] { return ::symlink("/etc", (directory + "/l").c_str()); }), EACCES);
}

TEST_F(SandboxTest, FilesAreReadWhereTheResolverReadsThem) {
  EXPECT_EQ(under_rules([] { return ::open("/etc/passwd", O_RDONLY); }), 0);
  EXPECT_EQ(under_rules([] { return ::open("/etc/passwd", O_WRONLY); }), EACCES);
  EXPECT_EQ(under_rules([] { return ::open("/dev/null", O_RDONLY); }), 0);
  EXPECT_EQ(under_rules([] { return ::open("/usr/bin/env", O_RDONLY); }), EACCES);
  EXPECT_EQ(under_rules([] { return ::open("/proc/self/environ", O_RDONLY); }), EACCES);
}

// Where the bridge has begun before resolv.conf was a link there.
TEST_F(SandboxTest, FilesOfTheServicesThatMakeResolvConfAreRead) {
  const std::string place = "/run/resolvconf";
  const std::string file = place + "/resolv.conf";
  if (::mkdir(place.c_str(), 0755) != 0) GTEST_SKIP() << place << ": errno " << errno;
  std::ofstream(file) << "nameserver 127.0.0.1\n";
  EXPECT_EQ(under_rules([&] { return ::open(file.c_str(), O_RDONLY); }), 0);
  EXPECT_EQ(under_rules([&] { return ::open(file.c_str(), O_WRONLY); }), EACCES);
  EXPECT_EQ(under_rules([] { return ::open("/run", O_RDONLY | O_DIRECTORY); }), EACCES);
  std::filesystem::remove_all(place);
}

TEST_F(SandboxTest, AResolvConfThatCameAfterTheRulesIsNamed) {
  // Not below the spool, which may be read.
  const std::string place = directory + "-resolv";
  const std::string link = place + "/resolv.conf";
  const std::string target = place + "/late/stub.conf";
  std::filesystem::create_directory(place);
  std::filesystem::create_symlink(target, link);
  const auto names_target = [&]() -> long {
    errno = ENOENT;
    if (forbidden_resolv_conf(link)) return -1;  // it leads nowhere yet
    std::filesystem::create_directory(place + "/late");
    std::ofstream(target) << "nameserver 127.0.0.1\n";
    return 0;
  };
  ASSERT_EQ(names_target(), 0);
  EXPECT_FALSE(forbidden_resolv_conf(link)) << "no rules yet";
  EXPECT_EQ(under_rules([&]() -> long {
              errno = EINVAL;
              return forbidden_resolv_conf(link) == target ? 0 : -1;
            }),
            0);
  EXPECT_EQ(under_rules([&]() -> long {
              errno = EINVAL;
              return forbidden_resolv_conf("/etc/hosts") ? -1 : 0;
            }),
            0);
  std::filesystem::remove_all(place);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
