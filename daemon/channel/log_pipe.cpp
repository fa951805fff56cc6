#include "daemon/channel/log_pipe.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace viaduct::daemon::channel {

LogPipe make_log_pipe(int bytes) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe2");
  }
  LogPipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  // Beyond the user's share of pipes the kernel refuses; the pipe is shorter then.
  (void)::fcntl(pipe.writer.get(), F_SETPIPE_SZ, bytes);
  return pipe;
}

}  // namespace viaduct::daemon::channel
