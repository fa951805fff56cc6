#pragma once

#include <cstdint>
#include <optional>
#include <system_error>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::channel {

/// Front connections between two requests move from a draining bridge to its successor, one a
/// packet: the identity of the listening socket they were accepted on (8 bytes, big-endian) with
/// the connection attached. The form never changes, since after a binary upgrade the two bridges
/// are of different versions.

/// Names a socket among all of this machine (its inode), the same in every process that has it.
/// Throws std::system_error.
std::uint64_t socket_identity(int descriptor);

struct HandedOver {
  std::uint64_t listener = 0;  ///< socket_identity()
  UniqueFd connection;
};

/// Sends without blocking; the connection stays the caller's. EAGAIN when the queue is full.
std::error_code send_connection(int socket, std::uint64_t listener, int connection);

/// The next connection if one is there. `error` is set on failure and when the peer has closed;
/// packets of another form are EBADMSG.
std::optional<HandedOver> receive_connection(int socket, std::error_code& error);

}  // namespace viaduct::daemon::channel
