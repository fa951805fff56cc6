#pragma once

#include <string>

namespace viaduct::daemon::master {

/// The status of waitpid() in words: "exited with status 3", "killed by SIGSEGV (core dumped)".
std::string exit_text(int status);

/// "SIGTERM"; "signal 40" for one without a name.
std::string signal_name(int signal);

/// "Permission denied (EACCES)".
std::string error_text(int error);

}  // namespace viaduct::daemon::master
