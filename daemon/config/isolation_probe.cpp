#include "daemon/config/isolation_probe.hpp"

#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <limits>
#include <thread>

namespace viaduct::daemon::config {
namespace {

// Root directory, mount namespace, nice value, capabilities and affinity are those of a thread:
// what is tried on one that ends leaves the process as it was.
template <class Step>
int try_out(Step step) {
  int error = 0;
  std::thread([&] { error = step() == 0 ? 0 : errno; }).join();
  return error;
}

bool holds(int number) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  return (data[number / 32].permitted >> (number % 32) & 1) != 0;
}

// Limits are those of the process, hence by the rule of setrlimit(2).
int raise_limit(int resource, std::uint64_t value) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return errno;
  return value <= limit.rlim_max || holds(CAP_SYS_RESOURCE) ? 0 : EPERM;
}

std::uint64_t most_files() {
  std::uint64_t number = 0;
  std::ifstream file("/proc/sys/fs/nr_open");
  return file >> number ? number : std::numeric_limits<std::uint64_t>::max();
}

class RealProbe : public IsolationProbe {
 public:
  int change_root(const std::string& directory) const override {
    return try_out([&] {
      const int alone = ::unshare(CLONE_FS);
      return alone != 0 ? alone : ::chroot(directory.c_str());
    });
  }

  int set_nice(int nice) const override {
    return try_out([&] { return ::setpriority(PRIO_PROCESS, 0, nice); });
  }

  int mount() const override {
    return try_out([] {
      if (::unshare(CLONE_NEWNS) != 0) return -1;
      if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return -1;
      return ::mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
    });
  }

  int drop_capabilities() const override {
    return try_out([] { return ::prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0); });
  }

  bool holds_capability(int number) const override { return holds(number); }

  int limit_files(std::uint64_t count) const override {
    return count > most_files() ? EPERM : raise_limit(RLIMIT_NOFILE, count);
  }

  int limit_core(std::uint64_t bytes) const override { return raise_limit(RLIMIT_CORE, bytes); }

  std::vector<std::uint32_t> usable_cpus() const override {
    cpu_set_t set;
    CPU_ZERO(&set);
    try_out([&] {
      cpu_set_t all;
      CPU_ZERO(&all);
      for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &all);
      ::sched_setaffinity(0, sizeof all, &all);
      return ::sched_getaffinity(0, sizeof set, &set);
    });
    std::vector<std::uint32_t> cpus;
    for (std::uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    return cpus;
  }

  CgroupPlace cgroup() const override { return find_cgroup_place(); }
};

}  // namespace

const IsolationProbe& real_isolation_probe() {
  static const RealProbe probe;
  return probe;
}

}  // namespace viaduct::daemon::config
