#pragma once

#include <optional>
#include <system_error>

#include "daemon/channel/message.hpp"
#include "daemon/channel/packet.hpp"

namespace viaduct::daemon::channel {

/// One message and the descriptor that came with it, which the receiver owns (-1: none).
struct Received {
  Message message;
  int descriptor = -1;
};

/// Sends as send_packet() does.
std::error_code send(int socket, const Message& message, int descriptor = -1);

/// Receives as receive_packet() does. Packets of another size are refused with EBADMSG.
std::optional<Received> receive(int socket, BackgroundCloser& closer, std::error_code& error);

}  // namespace viaduct::daemon::channel
