#include "daemon/master/confinement.hpp"

#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace viaduct::daemon::master {

namespace {

std::optional<SpawnFailure> failed(SpawnStage stage, std::size_t item = 0) {
  return SpawnFailure{stage, errno, static_cast<std::int32_t>(item)};
}

bool set_limit(int resource, rlim_t value) {
  const rlimit limit{value, value};
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

bool set_soft_files(rlim_t value) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  limit.rlim_cur = value;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

// A mount point of its own, whose write access can be taken without that of the original.
bool bind(const char* path) {
  return ::mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) == 0;
}

bool make_read_only(const std::string& path) {
  // "/" is a mount point already; a second mount on it would not be the one that is in use.
  if (path != "/" && !bind(path.c_str())) return false;
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  return ::mount_setattr(AT_FDCWD, path.c_str(), AT_RECURSIVE, &attributes, sizeof attributes) == 0;
}

// A root directory without /var/tmp has nothing that needs to be private.
bool mount_private(const char* directory) {
  return ::mount("tmpfs", directory, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") == 0 ||
         errno == ENOENT;
}

}  // namespace

Confinement confinement(const config::Isolation& isolation) {
  Confinement result;
  if (isolation.nofile != 0) result.open_files = isolation.nofile;
  if (isolation.core) result.core = *isolation.core;
  if (isolation.nice != 0) result.nice = isolation.nice;
  if (!isolation.cpus.empty()) {
    CPU_ZERO(&result.cpus.emplace());
    for (const std::uint32_t cpu : isolation.cpus) CPU_SET(cpu, &*result.cpus);
  }
  result.root = isolation.chroot;
  result.read_only = isolation.read_only;
  result.private_tmp = isolation.private_tmp;
  if (isolation.capabilities) {
    result.capabilities = 0;
    for (const int number : *isolation.capabilities) *result.capabilities |= 1ull << number;
  }
  return result;
}

std::optional<SpawnFailure> enter_cgroup(const Confinement& confinement) {
  if (confinement.cgroup < 0) return std::nullopt;
  // "0" is the writing process.
  if (::write(confinement.cgroup, "0", 1) != 1) return failed(SpawnStage::cgroup);
  return std::nullopt;
}

std::optional<SpawnFailure> limit_resources(const Confinement& confinement) {
  if (confinement.open_files && !set_limit(RLIMIT_NOFILE, *confinement.open_files)) {
    return failed(SpawnStage::open_files);
  }
  if (!confinement.open_files && confinement.soft_files &&
      !set_soft_files(*confinement.soft_files)) {
    return failed(SpawnStage::open_files);
  }
  if (confinement.core && !set_limit(RLIMIT_CORE, *confinement.core)) {
    return failed(SpawnStage::core);
  }
  if (confinement.nice && ::setpriority(PRIO_PROCESS, 0, *confinement.nice) != 0) {
    return failed(SpawnStage::nice);
  }
  if (confinement.cpus && ::sched_setaffinity(0, sizeof(cpu_set_t), &*confinement.cpus) != 0) {
    return failed(SpawnStage::cpus);
  }
  return std::nullopt;
}

std::optional<SpawnFailure> enclose(const Confinement& confinement) {
  const bool mounts = confinement.private_tmp || !confinement.read_only.empty();
  const char* root = confinement.root.empty() ? nullptr : confinement.root.c_str();
  if (mounts) {
    if (::unshare(CLONE_NEWNS) != 0) return failed(SpawnStage::mounts);
    // What is mounted later by others still arrives; nothing goes out.
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
      return failed(SpawnStage::mounts);
    }
    if (root != nullptr && !bind(root)) return failed(SpawnStage::mounts);
  }
  if (root != nullptr && (::chroot(root) != 0 || ::chdir("/") != 0)) {
    return failed(SpawnStage::chroot);
  }
  for (std::size_t item = 0; item < confinement.read_only.size(); ++item) {
    if (!make_read_only(confinement.read_only[item])) return failed(SpawnStage::read_only, item);
  }
  if (confinement.private_tmp && !(mount_private("/tmp") && mount_private("/var/tmp"))) {
    return failed(SpawnStage::private_tmp);
  }
  return std::nullopt;
}

std::optional<SpawnFailure> bound_capabilities(const Confinement& confinement) {
  if (!confinement.capabilities) return std::nullopt;
  const std::uint64_t kept = *confinement.capabilities;
  // Reading one beyond the last that the kernel knows fails.
  for (int number = 0; number < 64 && ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; ++number) {
    if ((kept >> number & 1) != 0) continue;
    if (::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0) return failed(SpawnStage::capabilities);
  }
  if (kept != 0 && ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) {
    return failed(SpawnStage::capabilities);
  }
  return std::nullopt;
}

std::optional<SpawnFailure> raise_capabilities(const Confinement& confinement) {
  if (confinement.capabilities.value_or(0) == 0 || ::geteuid() == 0) return std::nullopt;
  const std::uint64_t kept = *confinement.capabilities;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
  for (int word = 0; word < _LINUX_CAPABILITY_U32S_3; ++word) {
    const auto bits = static_cast<std::uint32_t>(kept >> (32 * word));
    data[word] = {bits, bits, bits};
  }
  if (::syscall(SYS_capset, &header, data) != 0) return failed(SpawnStage::ambient);
  for (int number = 0; number < 64; ++number) {
    if ((kept >> number & 1) == 0) continue;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0) {
      return failed(SpawnStage::ambient);
    }
  }
  return std::nullopt;
}

}  // namespace viaduct::daemon::master
