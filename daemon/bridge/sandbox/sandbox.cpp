#include "daemon/bridge/sandbox/sandbox.hpp"

#include <system_error>

#include "daemon/bridge/sandbox/file_rules.hpp"
#include "daemon/bridge/sandbox/syscall_filter.hpp"
#include "daemon/config/sandbox_probe.hpp"

namespace viaduct::daemon::bridge {

namespace {

#ifdef VIADUCT_SANITIZED
constexpr bool kPossible = false;
#else
constexpr bool kPossible = true;
#endif

// libseccomp says EINVAL for whatever the kernel has answered.
std::error_code apply_filter() {
  const std::error_code error = filter_syscalls();
  const int reason = error ? config::probe_sandbox().seccomp : 0;
  return reason == 0 ? error : std::error_code(reason, std::generic_category());
}

}  // namespace

SandboxState enter_sandbox(config::SandboxMode mode, const std::string& spool) {
  SandboxState state;
  if (mode == config::SandboxMode::off || !kPossible) return state;
  const auto note = [&](SandboxPart part, const char* name, std::error_code error) {
    if (!error) {
      state.parts |= part;
    } else if (mode == config::SandboxMode::required) {
      throw std::system_error(error, std::string("bridge.sandbox: required, and without ") + name);
    }
    return error.value();
  };
  state.landlock_error = note(kFileRules, "landlock", restrict_files(spool));
  state.seccomp_error = note(kSyscallFilter, "seccomp", apply_filter());
  return state;
}

}  // namespace viaduct::daemon::bridge
