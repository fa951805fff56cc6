#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/channel/scoreboard.hpp"

namespace viaduct::daemon::master {

/// What a bridge says of its sandbox, in words: nothing in it is more than a bit or an errno.

/// Names of the parts in force: "seccomp", "landlock".
std::vector<std::string> sandbox_parts(const SandboxState& state);

/// Those that the kernel has refused, each with its reason: {"landlock", "Function not implemented
/// (ENOSYS)"}.
std::vector<std::pair<std::string, std::string>> sandbox_lacks(const SandboxState& state);

}  // namespace viaduct::daemon::master
