#include "daemon/bridge/sandbox/sandbox.hpp"

#include <system_error>

#include "daemon/bridge/sandbox/file_rules.hpp"
#include "daemon/bridge/sandbox/syscall_filter.hpp"

namespace viaduct::daemon::bridge {

namespace {

#ifdef VIADUCT_SANITIZED
constexpr bool kPossible = false;
#else
constexpr bool kPossible = true;
#endif

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
  state.seccomp_error = note(kSyscallFilter, "seccomp", filter_syscalls());
  return state;
}

}  // namespace viaduct::daemon::bridge
