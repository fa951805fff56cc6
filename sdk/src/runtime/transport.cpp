#include "sdk/src/runtime/transport.hpp"

#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

using Protocol = Listener::Protocol;

std::optional<Transport> given(const Addresses& addresses) {
  const std::pair<const std::string&, Protocol> choices[] = {
      {addresses.fastcgi, Protocol::fastcgi},
      {addresses.scgi, Protocol::scgi},
      {addresses.uwsgi, Protocol::uwsgi},
  };
  for (const auto& [address, protocol] : choices) {
    if (!address.empty()) return Transport{protocol, {listen_on(address)}, {}};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Transport> find_transport(const Addresses& addresses) {
  if (auto transport = given(addresses)) return transport;
  Transport transport;
  if (is_listening(STDIN_FILENO)) {
    transport.sockets.push_back({.fd = STDIN_FILENO});
    transport.peers = web_server_addresses();
    return transport;
  }
  for (const int fd : inherited_sockets()) transport.sockets.push_back({.fd = fd});
  if (!transport.sockets.empty()) return transport;
  return std::nullopt;
}

void remove_files(const Transport& transport) {
  for (const ListeningSocket& socket : transport.sockets) {
    std::error_code ignored;
    if (!socket.file.empty()) std::filesystem::remove(socket.file, ignored);
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
