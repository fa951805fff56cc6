#pragma once

#include <sys/socket.h>

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

class BackgroundCloser;

/// The next connection if one is there. `error` is set on failure and when the peer has closed;
/// packets of another form are EBADMSG, and `closer` closes what came with them.
std::optional<HandedOver> receive_connection(int socket, BackgroundCloser& closer,
                                             std::error_code& error);

/// A listening socket's identity and its bound address.
struct Listening {
  std::uint64_t identity = 0;
  sockaddr_storage address{};
  socklen_t length = 0;
};

/// Throws std::system_error.
Listening describe_listening(int listener);

enum class Origin {
  listener,      ///< a connected stream socket of the listener's family and address
  disconnected,  ///< likewise, and its client has left meanwhile
  foreign,       ///< anything else
};

/// Whether a connection can have been accepted on that listener. The predecessor may be in other
/// hands, and the descriptor anything that it could open.
Origin origin_of(const Listening& listener, int connection);

}  // namespace viaduct::daemon::channel
