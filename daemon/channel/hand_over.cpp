#include "daemon/channel/hand_over.hpp"

#include <sys/stat.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>

#include <boost/endian/conversion.hpp>

#include "daemon/channel/packet.hpp"

namespace viaduct::daemon::channel {

namespace {

using Form = std::array<std::byte, sizeof(std::uint64_t)>;

}  // namespace

std::uint64_t socket_identity(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    throw std::system_error(errno, std::generic_category(), "fstat of a socket");
  }
  return status.st_ino;
}

std::error_code send_connection(int socket, std::uint64_t listener, int connection) {
  const auto bytes = std::bit_cast<Form>(boost::endian::native_to_big(listener));
  return send_packet(socket, bytes, connection);
}

std::optional<HandedOver> receive_connection(int socket, std::error_code& error) {
  Form bytes{};
  const auto packet = receive_packet(socket, bytes, error);
  if (!packet) return std::nullopt;
  UniqueFd connection(packet->descriptor);
  if (packet->size != bytes.size() || packet->cut || !connection) {
    error = std::make_error_code(std::errc::bad_message);
    return std::nullopt;
  }
  return HandedOver{boost::endian::big_to_native(std::bit_cast<std::uint64_t>(bytes)),
                    std::move(connection)};
}

}  // namespace viaduct::daemon::channel
