#include "daemon/master/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace viaduct::daemon::master {

namespace {

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

[[noreturn]] void fail(int report, const SpawnFailure& failure) {
  [[maybe_unused]] const auto written = ::write(report, &failure, sizeof(failure));
  ::_exit(127);
}

[[noreturn]] void fail(int report, SpawnStage stage, int error) {
  fail(report, SpawnFailure{stage, error});
}

void require(int report, const std::optional<SpawnFailure>& failure) {
  if (failure) fail(report, *failure);
}

void reset_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void close_on_exec_from(int first) {
  if (::close_range(static_cast<unsigned>(first), ~0u, CLOSE_RANGE_CLOEXEC) == 0) return;
  const long last = ::sysconf(_SC_OPEN_MAX);
  for (int descriptor = first; descriptor < last; ++descriptor) {
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  }
}

// Sources may have the numbers of other targets, hence first above all targets, then down.
// Returns the descriptor of the report, which had to move as well.
int place_descriptors(std::vector<int>& descriptors, int& pinned_file, int report) {
  const int count = static_cast<int>(descriptors.size());
  const int moved_report = ::fcntl(report, F_DUPFD_CLOEXEC, count);
  if (moved_report < 0) fail(report, SpawnStage::descriptors, errno);
  if (pinned_file >= 0) {
    pinned_file = ::fcntl(pinned_file, F_DUPFD_CLOEXEC, count);
    if (pinned_file < 0) fail(moved_report, SpawnStage::descriptors, errno);
  }
  for (int& descriptor : descriptors) {
    descriptor = ::fcntl(descriptor, F_DUPFD_CLOEXEC, count);
    if (descriptor < 0) fail(moved_report, SpawnStage::descriptors, errno);
  }
  for (int target = 0; target < count; ++target) {
    const int source = descriptors[static_cast<std::size_t>(target)];
    if (::dup2(source, target) < 0) fail(moved_report, SpawnStage::descriptors, errno);
  }
  close_on_exec_from(count);
  return moved_report;
}

void take_identity(const config::Account& account, int report) {
  if (::geteuid() == 0) {
    if (::setgroups(account.groups.size(), account.groups.data()) != 0) {
      fail(report, SpawnStage::groups, errno);
    }
  }
  if (::setresgid(account.gid, account.gid, account.gid) != 0) {
    fail(report, SpawnStage::group, errno);
  }
  if (::setresuid(account.uid, account.uid, account.uid) != 0) {
    fail(report, SpawnStage::user, errno);
  }
}

// Whether the path does not name that file any more. One that may not be looked at is left to exec
// to complain about.
bool is_replaced(const char* path, int pinned) {
  struct stat then {};
  struct stat now {};
  if (pinned < 0 || ::fstat(pinned, &then) != 0) return false;
  if (::stat(path, &now) != 0) return errno != EACCES;
  return now.st_dev != then.st_dev || now.st_ino != then.st_ino;
}

[[noreturn]] void execute(const SpawnSpec& spec, char* const* arguments, char* const* environment,
                          int report) {
  const char* const path = spec.executable.c_str();
  if (is_replaced(path, spec.pinned_file)) {
    ::execveat(spec.pinned_file, "", arguments, environment, AT_EMPTY_PATH);
  } else {
    ::execve(path, arguments, environment);
  }
  fail(report, SpawnStage::exec, errno);
}

[[noreturn]] void become(SpawnSpec& spec, char* const* arguments, char* const* environment,
                         int report, pid_t parent) {
  if (spec.own_session && ::setsid() < 0) fail(report, SpawnStage::session, errno);
  reset_signals();
  const Confinement& confinement = spec.confinement;
  require(report, enter_cgroup(confinement));
  report = place_descriptors(spec.descriptors, spec.pinned_file, report);
  ::umask(spec.umask);
  require(report, limit_resources(confinement));
  require(report, enclose(confinement));
  require(report, bound_capabilities(confinement));
  // Whoever looks at the processes of that user sees what this one is going to be.
  ::prctl(PR_SET_NAME, arguments[0]);
  if (spec.account) take_identity(*spec.account, report);
  require(report, raise_capabilities(confinement));
  if (spec.no_new_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    fail(report, SpawnStage::privileges, errno);
  }
  // After the change of user, which clears it; the parent may have died before it took effect.
  if (spec.dies_with_parent) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail(report, SpawnStage::privileges, errno);
    if (::getppid() != parent) ::_exit(127);
  }
  if (!spec.directory.empty() && ::chdir(spec.directory.c_str()) != 0) {
    fail(report, SpawnStage::directory, errno);
  }
  execute(spec, arguments, environment, report);
}

}  // namespace

Spawned spawn(SpawnSpec spec) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe2");
  }
  UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);

  const std::vector<char*> arguments = pointers(spec.arguments);
  const std::vector<char*> environment = pointers(spec.environment);
  const pid_t parent = ::getpid();
  // No handler of ours may run in the child before it has reset them.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) become(spec, arguments.data(), environment.data(), write_end.get(), parent);
  const int error = errno;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) throw std::system_error(error, std::generic_category(), "fork");
  return {pid, std::move(read_end)};
}

std::optional<SpawnFailure> read_failure(std::span<const std::byte> bytes) {
  SpawnFailure failure;
  if (bytes.size() != sizeof(failure)) return std::nullopt;
  std::memcpy(&failure, bytes.data(), sizeof(failure));
  return failure;
}

std::optional<Exit> reap(const std::function<bool(pid_t)>& ours) {
  siginfo_t ended{};
  int result = 0;
  do {
    result = ::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT);
  } while (result < 0 && errno == EINTR);
  if (result < 0 || ended.si_pid == 0) return std::nullopt;
  // Not reaped yet, so that nobody else can have got its number.
  if (ours(ended.si_pid)) ::kill(-ended.si_pid, SIGKILL);
  Exit exit{ended.si_pid, 0};
  while (::waitpid(exit.pid, &exit.status, 0) < 0 && errno == EINTR) {
  }
  return exit;
}

void signal_group(pid_t leader, int signal) {
  // Before its setsid() the child has no group of its own yet.
  if (::kill(-leader, signal) != 0) ::kill(leader, signal);
}

}  // namespace viaduct::daemon::master
