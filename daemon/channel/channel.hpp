#pragma once

#include <optional>
#include <system_error>

#include "daemon/channel/message.hpp"

namespace viaduct::daemon::channel {

/// One message and the descriptor that came with it, which the receiver owns (-1: none).
struct Received {
  Message message;
  int descriptor = -1;
};

/// Sends without blocking. EAGAIN when the peer's queue is full; the descriptor stays the caller's.
std::error_code send(int socket, const Message& message, int descriptor = -1);

/// Receives one message if one is there. `error` is set on failure, and to ENOTCONN when the peer
/// closed; otherwise nothing is returned when no message waits. Packets of another size are refused
/// with EBADMSG. Received descriptors are close-on-exec.
std::optional<Received> receive(int socket, std::error_code& error);

/// A connected pair of non-blocking, close-on-exec SEQPACKET sockets. Throws std::system_error.
struct Pair {
  int first = -1;
  int second = -1;
};
Pair make_pair();

}  // namespace viaduct::daemon::channel
