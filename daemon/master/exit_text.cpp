#include "daemon/master/exit_text.hpp"

#include <string.h>
#include <sys/wait.h>

#include <system_error>

namespace viaduct::daemon::master {

std::string exit_text(int status) {
  if (WIFEXITED(status)) return "exited with status " + std::to_string(WEXITSTATUS(status));
  if (!WIFSIGNALED(status)) return "ended with wait status " + std::to_string(status);
  std::string text = "killed by " + signal_name(WTERMSIG(status));
  if (WCOREDUMP(status)) text += " (core dumped)";
  return text;
}

std::string signal_name(int signal) {
  if (const char* name = ::sigabbrev_np(signal)) return std::string("SIG") + name;
  return "signal " + std::to_string(signal);
}

std::string error_text(int error) {
  std::string text = std::generic_category().message(error);
  if (const char* name = ::strerrorname_np(error)) text += std::string(" (") + name + ")";
  return text;
}

}  // namespace viaduct::daemon::master
