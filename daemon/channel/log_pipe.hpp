#pragma once

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::channel {

/// The way of log lines from a bridge to the master, who alone has the files: bytes, and no
/// descriptors. Neither end blocks; both close at exec.
struct LogPipe {
  UniqueFd reader;
  UniqueFd writer;
};

/// Holds a MiB, or what the kernel allows. Throws std::system_error.
LogPipe make_log_pipe();

}  // namespace viaduct::daemon::channel
