#pragma once

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::channel {

/// The way of log lines from a bridge to the master, who alone has the files: bytes, and no
/// descriptors. Neither end blocks; both close at exec.
struct LogPipe {
  UniqueFd reader;
  UniqueFd writer;
};

/// Holds so many bytes, rounded up to a power of two, or what the kernel allows. Throws
/// std::system_error.
LogPipe make_log_pipe(int bytes);

}  // namespace viaduct::daemon::channel
