#include "daemon/bridge/sandbox/sandbox.hpp"

#include <system_error>

#include "daemon/bridge/sandbox/file_rules.hpp"
#include "daemon/bridge/sandbox/syscall_filter.hpp"
#include "daemon/channel/scoreboard.hpp"

namespace viaduct::daemon::bridge {

namespace {

#ifdef VIADUCT_SANITIZED
constexpr bool kPossible = false;
#else
constexpr bool kPossible = true;
#endif

}  // namespace

std::uint32_t enter_sandbox(config::SandboxMode mode, const std::string& spool, log::Log& log) {
  if (mode == config::SandboxMode::off || !kPossible) return 0;
  std::uint32_t parts = 0;
  const auto note = [&](SandboxPart part, const char* name, std::error_code error) {
    if (!error) {
      parts |= part;
    } else if (mode == config::SandboxMode::required) {
      throw std::system_error(error, std::string("bridge.sandbox: required, and without ") + name);
    } else {
      log.warning("the sandbox of the bridge lacks a part",
                  {{"part", name}, {"error", error.message()}});
    }
  };
  note(kFileRules, "landlock", restrict_files(spool));
  note(kSyscallFilter, "seccomp", filter_syscalls());
  return parts;
}

}  // namespace viaduct::daemon::bridge
