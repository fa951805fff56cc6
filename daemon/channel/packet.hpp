#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <system_error>

namespace viaduct::daemon::channel {

/// One packet as it was received. The receiver owns the descriptor that came with it (-1: none),
/// which is close-on-exec.
struct Packet {
  std::size_t size = 0;  ///< bytes stored
  bool cut = false;      ///< it was longer than the memory given
  int descriptor = -1;
};

/// Sends one packet on a SEQPACKET socket without blocking. EAGAIN when the peer's queue is full;
/// the descriptor stays the caller's.
std::error_code send_packet(int socket, std::span<const std::byte> bytes, int descriptor = -1);

class BackgroundCloser;

/// Receives one packet if one is there. `error` is set on failure, to ENOTCONN when the peer
/// closed, and to EBADMSG when more than one descriptor came, all of which `closer` closes. Without
/// an error, nothing is returned when no packet waits.
std::optional<Packet> receive_packet(int socket, std::span<std::byte> into,
                                     BackgroundCloser& closer, std::error_code& error);

/// A connected pair of non-blocking, close-on-exec SEQPACKET sockets. Throws std::system_error.
struct Pair {
  int first = -1;
  int second = -1;
};
Pair make_pair();

}  // namespace viaduct::daemon::channel
