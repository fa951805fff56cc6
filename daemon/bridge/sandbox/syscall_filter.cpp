#include "daemon/bridge/sandbox/syscall_filter.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace viaduct::daemon::bridge {

namespace {

constexpr const char* kAllowed[] = {
    // memory
    "brk", "madvise", "mremap", "munmap", "memfd_create",
    // files: what is opened, file_rules.hpp says
    "access", "close", "faccessat", "faccessat2", "fadvise64", "fstat", "fstat64", "fstatfs",
    "fstatfs64", "getcwd", "_llseek", "lseek", "newfstatat", "fstatat64", "open", "openat",
    "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "read", "readlink", "readlinkat",
    "readv", "stat", "statx", "unlink", "unlinkat", "write", "writev",
    // sockets: no others are listened on
    "accept4", "connect", "getpeername", "getsockname", "getsockopt", "recvfrom", "recvmmsg",
    "recvmsg", "sendmmsg", "sendmsg", "sendto",
    // events
    "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2", "pipe2",
    "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "timerfd_create",
    "timerfd_gettime", "timerfd_settime", "timerfd_settime64",
    // threads and signals of its own
    "exit", "exit_group", "futex", "futex_time64", "get_robust_list", "gettid", "membarrier",
    "restart_syscall", "rseq", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn",
    "sched_getaffinity", "sched_yield", "set_robust_list", "sigaltstack", "sigreturn",
    // what a process is, and when
    "clock_getres", "clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64",
    "getegid", "geteuid", "getgid", "getpid", "getppid", "getrandom", "getrusage", "gettimeofday",
    "getuid", "nanosleep", "sysinfo", "time", "times", "uname"};

// Nothing that a bridge needs comes near these.
constexpr const char* kFatal[] = {"execve",
                                  "execveat",
                                  "ptrace",
                                  "process_vm_readv",
                                  "process_vm_writev",
                                  "mount",
                                  "umount2",
                                  "move_mount",
                                  "open_tree",
                                  "fsopen",
                                  "fsmount",
                                  "pivot_root",
                                  "chroot",
                                  "bpf",
                                  "io_uring_setup",
                                  "io_uring_enter",
                                  "io_uring_register",
                                  "userfaultfd",
                                  "keyctl",
                                  "add_key",
                                  "request_key",
                                  "unshare",
                                  "setns",
                                  "perf_event_open",
                                  "init_module",
                                  "finit_module",
                                  "kexec_load",
                                  "pidfd_getfd"};

// Numbers of kFatal, for the handler of the signal, which may not allocate.
std::array<int, std::size(kFatal)> fatal_numbers;

void die_of(int /*signal*/, siginfo_t* info, void* /*context*/) {
  std::array<char, 160> line{};
  std::size_t size = 0;
  const auto add = [&](std::string_view text) {
    text = text.substr(0, line.size() - size);
    std::memcpy(line.data() + size, text.data(), text.size());
    size += text.size();
  };
  add("viaductd: bridge: the sandbox ends it: system call ");
  for (std::size_t i = 0; i < fatal_numbers.size(); ++i) {
    if (fatal_numbers[i] == info->si_syscall) add(kFatal[i]);
  }
  add("\n");
  if (::write(STDERR_FILENO, line.data(), size) < 0) _exit(128 + SIGSYS);
  // The handler was for once: delivered when it returns, the signal ends the process.
  ::kill(::getpid(), SIGSYS);
}

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};

/// A filter in the making. After a failure nothing more is added, and error() says why.
class Filter {
 public:
  Filter() : filter_(::seccomp_init(SCMP_ACT_ERRNO(EPERM))) {
    if (!filter_) error_ = ENOMEM;
    // The calls of the data path are found by their number in a tree.
    note(::seccomp_attr_set(filter_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
    note(::seccomp_attr_set(filter_.get(), SCMP_FLTATR_CTL_NNP, 1));
    // Entries of other architectures. The default ends the thread alone.
    note(::seccomp_attr_set(filter_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
  }

  template <class... Comparison>
  void add(std::uint32_t action, const char* name, Comparison... comparison) {
    const int number = ::seccomp_syscall_resolve_name(name);
    // Not every architecture has every call.
    if (number == __NR_SCMP_ERROR || error_ != 0) return;
    const int result =
        ::seccomp_rule_add(filter_.get(), action, number, sizeof...(comparison), comparison...);
    if (result != -EDOM) note(result);
  }
  template <class... Comparison>
  void allow(const char* name, Comparison... comparison) {
    add(SCMP_ACT_ALLOW, name, comparison...);
  }
  void load() { note(::seccomp_load(filter_.get())); }
  [[nodiscard]] int error() const { return error_; }

 private:
  void note(int result) {
    if (result < 0 && error_ == 0) error_ = -result;
  }

  std::unique_ptr<void, Release> filter_;
  int error_ = 0;
};

scmp_arg_cmp is(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}

scmp_arg_cmp has(unsigned argument, std::uint64_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, bits};
}

// Memory that is executed would let an intruder bring code, and write over the handler of SIGSYS.
void add_memory(Filter& filter) {
  const scmp_arg_cmp not_executed{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
  for (const char* name : {"mmap", "mmap2", "mprotect"}) filter.allow(name, not_executed);
}

void add_sockets(Filter& filter) {
  for (const int family : {AF_UNIX, AF_INET, AF_INET6}) {
    filter.allow("socket", is(0, static_cast<std::uint64_t>(family)));
  }
  filter.allow("socketpair", is(0, AF_UNIX));
  // Shut down for reading, a listener accepts no more, in whatever process.
  filter.allow("shutdown", is(1, SHUT_WR));
  constexpr std::pair<int, int> kOptions[] = {
      {SOL_SOCKET, SO_KEEPALIVE},  {SOL_SOCKET, SO_LINGER},      {IPPROTO_TCP, TCP_NODELAY},
      {IPPROTO_TCP, TCP_KEEPIDLE}, {IPPROTO_TCP, TCP_KEEPINTVL}, {IPPROTO_TCP, TCP_KEEPCNT}};
  for (const auto& [level, name] : kOptions) {
    filter.allow("setsockopt", is(1, static_cast<std::uint64_t>(level)),
                 is(2, static_cast<std::uint64_t>(name)));
  }
}

// F_SETFL, and RWF_NOAPPEND of pwritev2, would let files be written elsewhere than at their end.
// FIONBIO would let an accept4() of other generations wait: they share the listeners. Asio makes
// every descriptor that it waits for non-blocking; they are, so that it is told that it has.
void add_descriptors(Filter& filter) {
  for (const int command : {F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_ADD_SEALS, F_GET_SEALS}) {
    for (const char* name : {"fcntl", "fcntl64"}) {
      filter.allow(name, is(1, static_cast<std::uint64_t>(command)));
    }
  }
  for (const unsigned long request : {FIONREAD, SIOCOUTQ, TCGETS}) {
    filter.allow("ioctl", is(1, request));
  }
  filter.add(SCMP_ACT_ERRNO(0), "ioctl", is(1, FIONBIO));
}

void add_processes(Filter& filter) {
  const auto self = static_cast<std::uint64_t>(::getpid());
  filter.allow("clone", has(0, CLONE_THREAD));
  // Where it is missing, the C library takes clone, whose flags can be looked at.
  filter.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  filter.allow("kill", is(0, self));
  filter.allow("tgkill", is(0, self));
  filter.allow("prctl", is(0, PR_SET_NAME));
  filter.allow("prctl", is(0, PR_GET_NAME));
  filter.allow("prlimit64", is(0, 0), is(2, 0));
  filter.allow("getrlimit");
  filter.allow("ugetrlimit");
  // The handler above stays. The kernel reads 32 bits of the 64 that are compared, so that a rule
  // may name only numbers that are allowed.
  filter.allow("rt_sigaction", scmp_arg_cmp{0, SCMP_CMP_LT, SIGSYS, 0});
}

bool set_handler() {
  for (std::size_t i = 0; i < std::size(kFatal); ++i) {
    fatal_numbers[i] = ::seccomp_syscall_resolve_name(kFatal[i]);
  }
  struct sigaction action {};
  action.sa_sigaction = die_of;
  action.sa_flags = SA_SIGINFO | static_cast<int>(SA_RESETHAND);
  return ::sigaction(SIGSYS, &action, nullptr) == 0;
}

}  // namespace

std::error_code filter_syscalls() {
  if (!set_handler()) return {errno, std::generic_category()};
  Filter filter;
  for (const char* name : kAllowed) filter.allow(name);
  for (const char* name : kFatal) filter.add(SCMP_ACT_TRAP, name);
  add_memory(filter);
  add_sockets(filter);
  add_descriptors(filter);
  add_processes(filter);
  filter.load();
  return {filter.error(), std::generic_category()};
}

}  // namespace viaduct::daemon::bridge
