#include "daemon/config/sandbox_probe.hpp"

#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace viaduct::daemon::config {
namespace {

#ifdef VIADUCT_SANITIZED
constexpr bool kPossible = false;
#else
constexpr bool kPossible = true;
#endif

// Asks as libseccomp does: a kernel that has filters says that this one's address is wrong.
int probe_seccomp() {
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, nullptr) != 0 && errno == EFAULT) return 0;
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, nullptr, 0, 0) != 0 && errno == EFAULT) return 0;
  return errno;
}

int probe_landlock() {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? errno : 0;
}

}  // namespace

SandboxProbe probe_sandbox() {
  if (!kPossible) return {};
  return {probe_seccomp(), probe_landlock()};
}

}  // namespace viaduct::daemon::config
