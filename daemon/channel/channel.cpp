#include "daemon/channel/channel.hpp"

#include <span>

#include "daemon/channel/background_closer.hpp"

namespace viaduct::daemon::channel {

std::error_code send(int socket, const Message& message, int descriptor) {
  return send_packet(socket, std::as_bytes(std::span(&message, 1)), descriptor);
}

std::optional<Received> receive(int socket, BackgroundCloser& closer, std::error_code& error) {
  Received received;
  const auto packet = receive_packet(
      socket, std::as_writable_bytes(std::span(&received.message, 1)), closer, error);
  if (!packet) return std::nullopt;
  if (packet->size != sizeof(Message) || packet->cut) {
    closer.close(UniqueFd(packet->descriptor));
    error = std::make_error_code(std::errc::bad_message);
    return std::nullopt;
  }
  received.descriptor = packet->descriptor;
  return received;
}

}  // namespace viaduct::daemon::channel
