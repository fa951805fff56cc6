#include "daemon/config/checking.hpp"
#include "daemon/config/text_file.hpp"

namespace viaduct::daemon::config {
namespace {

// Only where viaductd starts does the kernel count: a configuration may be checked on another
// machine.
void check_part(const Checking& check, const char* part, int error) {
  if (error == 0) return;
  const std::string why = std::string(part) + ": " + describe_errno(error);
  if (check.purpose == Purpose::check) {
    check.warning("bridge.sandbox", "not available to this process: " + why);
  } else {
    check.error("bridge.sandbox", "required, but not available: " + why);
  }
}

}  // namespace

void check_sandbox(const Checking& check) {
  if (check.settings.bridge.sandbox != SandboxMode::required) return;
  const SandboxProbe probe = check.system.sandbox();
  check_part(check, "seccomp", probe.seccomp);
  check_part(check, "landlock", probe.landlock);
}

}  // namespace viaduct::daemon::config
