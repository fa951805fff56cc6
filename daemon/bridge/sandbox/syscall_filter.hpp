#pragma once

#include <system_error>

namespace viaduct::daemon::bridge {

/// Allows the calling thread, and those that it starts, only the system calls that a bridge makes
/// (seccomp(2)); the lists are in the source. Others fail with EPERM. Those that only an intruder
/// makes, of exec, ptrace, mount and their kind, end the process by SIGSYS, having said on
/// descriptor 2 which one it was. Cannot be undone. The error is that of the kernel: ENOSYS or
/// EINVAL where it has no filters.
[[nodiscard]] std::error_code filter_syscalls();

}  // namespace viaduct::daemon::bridge
