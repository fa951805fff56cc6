#pragma once

#include <string>

#include "daemon/channel/scoreboard.hpp"
#include "daemon/config/sandbox_mode.hpp"

namespace viaduct::daemon::bridge {

/// Takes from the process what a bridge does not need, in parts: filter_syscalls() and
/// restrict_files(). To be called before the first thread is started, when everything that the
/// bridge keeps open is open. With `automatic`, parts that the kernel lacks are left out; with
/// `required` they throw std::system_error. A build with sanitizers, which need more, has none of
/// them. Returns the parts that are in force, and why others are not: the master says it.
SandboxState enter_sandbox(config::SandboxMode mode, const std::string& spool);

}  // namespace viaduct::daemon::bridge
