#include "daemon/channel/hand_over.hpp"

#include <netinet/in.h>
#include <sys/stat.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <boost/endian/conversion.hpp>

#include "daemon/channel/background_closer.hpp"
#include "daemon/channel/packet.hpp"

namespace viaduct::daemon::channel {

namespace {

using Form = std::array<std::byte, sizeof(std::uint64_t)>;

template <class Address>
Address as(const sockaddr_storage& storage) {
  Address address{};
  std::memcpy(&address, &storage, sizeof(address));
  return address;
}

int option(int socket, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

// A listener that is bound to every address accepts connections with one of them.
bool accepts(const sockaddr_in& bound, const sockaddr_in& own) {
  const bool any = bound.sin_addr.s_addr == htonl(INADDR_ANY);
  return bound.sin_port == own.sin_port && (any || bound.sin_addr.s_addr == own.sin_addr.s_addr);
}

bool accepts(const sockaddr_in6& bound, const sockaddr_in6& own) {
  const bool any = IN6_IS_ADDR_UNSPECIFIED(&bound.sin6_addr);
  return bound.sin6_port == own.sin6_port &&
         (any || IN6_ARE_ADDR_EQUAL(&bound.sin6_addr, &own.sin6_addr));
}

bool accepts(const Listening& listener, const sockaddr_storage& own, socklen_t length) {
  if (own.ss_family != listener.address.ss_family) return false;
  switch (own.ss_family) {
    case AF_INET:
      return accepts(as<sockaddr_in>(listener.address), as<sockaddr_in>(own));
    case AF_INET6:
      return accepts(as<sockaddr_in6>(listener.address), as<sockaddr_in6>(own));
    case AF_UNIX:
      return length == listener.length && std::memcmp(&own, &listener.address, length) == 0;
    default:
      return false;
  }
}

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

std::optional<HandedOver> receive_connection(int socket, BackgroundCloser& closer,
                                             std::error_code& error) {
  Form bytes{};
  const auto packet = receive_packet(socket, bytes, closer, error);
  if (!packet) return std::nullopt;
  UniqueFd connection(packet->descriptor);
  if (packet->size != bytes.size() || packet->cut || !connection) {
    closer.close(std::move(connection));
    error = std::make_error_code(std::errc::bad_message);
    return std::nullopt;
  }
  return HandedOver{boost::endian::big_to_native(std::bit_cast<std::uint64_t>(bytes)),
                    std::move(connection)};
}

Listening describe_listening(int listener) {
  Listening described{.identity = socket_identity(listener), .address = {}, .length = 0};
  described.length = sizeof(described.address);
  if (::getsockname(listener, reinterpret_cast<sockaddr*>(&described.address), &described.length) !=
      0) {
    throw std::system_error(errno, std::generic_category(), "getsockname of a listener");
  }
  return described;
}

Origin origin_of(const Listening& listener, int connection) {
  if (option(connection, SO_TYPE) != SOCK_STREAM || option(connection, SO_ACCEPTCONN) != 0) {
    return Origin::foreign;
  }
  sockaddr_storage own{};
  socklen_t length = sizeof(own);
  if (::getsockname(connection, reinterpret_cast<sockaddr*>(&own), &length) != 0 ||
      !accepts(listener, own, length)) {
    return Origin::foreign;
  }
  sockaddr_storage peer{};
  length = sizeof(peer);
  const bool connected =
      ::getpeername(connection, reinterpret_cast<sockaddr*>(&peer), &length) == 0;
  return connected ? Origin::listener : Origin::disconnected;
}

}  // namespace viaduct::daemon::channel
