#include "daemon/channel/crash.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace viaduct::daemon::channel {

bool crashed(int status) {
  if (WIFEXITED(status)) return WEXITSTATUS(status) != 0;
  return killed_by_error(status);
}

bool killed_by_error(int status) {
  static constexpr std::array<int, 9> kErrors{SIGSEGV, SIGBUS, SIGILL,  SIGFPE, SIGABRT,
                                              SIGTRAP, SIGSYS, SIGXCPU, SIGXFSZ};
  return WIFSIGNALED(status) &&
         std::find(kErrors.begin(), kErrors.end(), WTERMSIG(status)) != kErrors.end();
}

}  // namespace viaduct::daemon::channel
