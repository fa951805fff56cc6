#pragma once

#include <cstddef>
#include <span>
#include <system_error>

#include "protocol/output.hpp"

namespace viaduct::daemon::bridge {

/// What one non-blocking receive or send came to.
struct Transfer {
  std::size_t bytes = 0;
  bool blocked = false;  ///< the socket would block
  bool ended = false;    ///< receive: the peer closed
  std::error_code error;
};

/// One recv() without blocking.
Transfer receive(int socket, std::span<std::byte> into);

/// Writes as much of `output` as the socket takes, without blocking and without SIGPIPE, and
/// consumes it. What is left is still referred to: see Output::settle.
Transfer send(int socket, protocol::Output& output);

/// A non-blocking connection to a Unix socket. Connecting one completes or fails at once; EAGAIN
/// means that the listener's backlog is full. Returns the descriptor, or -1 with `error`.
int connect_unix(const char* path, std::error_code& error);

}  // namespace viaduct::daemon::bridge
