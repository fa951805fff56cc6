#include "daemon/master/sandbox_report.hpp"

#include "daemon/master/exit_text.hpp"

namespace viaduct::daemon::master {

std::vector<std::string> sandbox_parts(const SandboxState& state) {
  std::vector<std::string> names;
  if ((state.parts & kSyscallFilter) != 0) names.emplace_back("seccomp");
  if ((state.parts & kFileRules) != 0) names.emplace_back("landlock");
  return names;
}

std::vector<std::pair<std::string, std::string>> sandbox_lacks(const SandboxState& state) {
  std::vector<std::pair<std::string, std::string>> lacks;
  if (state.seccomp_error != 0) lacks.emplace_back("seccomp", error_text(state.seccomp_error));
  if (state.landlock_error != 0) lacks.emplace_back("landlock", error_text(state.landlock_error));
  return lacks;
}

}  // namespace viaduct::daemon::master
