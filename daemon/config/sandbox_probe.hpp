// Asks the kernel which parts of a bridge's sandbox (bridge.sandbox) this process can have.
#pragma once

namespace viaduct::daemon::config {

// Each the errno with which the kernel refuses it: ENOSYS where it has none of it, EPERM where a
// container forbids it. 0: it can be had.
struct SandboxProbe {
  int seccomp = 0;
  int landlock = 0;
};

// Changes nothing. Nothing is refused to builds with sanitizers, whose bridges have no sandbox.
SandboxProbe probe_sandbox();

}  // namespace viaduct::daemon::config
