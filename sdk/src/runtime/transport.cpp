#include "sdk/src/runtime/transport.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

using Protocol = Listener::Protocol;

constexpr const char* kDevelopment = "tcp:127.0.0.1:8080";

std::optional<Transport> given(const Addresses& addresses) {
  const std::pair<const std::string&, Protocol> choices[] = {
      {addresses.fastcgi, Protocol::fastcgi},
      {addresses.scgi, Protocol::scgi},
      {addresses.uwsgi, Protocol::uwsgi},
      {addresses.http, Protocol::http},
  };
  for (const auto& [address, protocol] : choices) {
    if (!address.empty()) return Transport{.protocol = protocol, .sockets = {listen_on(address)}};
  }
  return std::nullopt;
}

// RFC 3875 sections 4.1.4 and 4.1.12.
bool in_cgi_environment() {
  return std::getenv("GATEWAY_INTERFACE") != nullptr && std::getenv("REQUEST_METHOD") != nullptr;
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
  if (in_cgi_environment()) {
    transport.cgi = true;
    return transport;
  }
  if (::isatty(STDIN_FILENO) == 1) return given({.http = kDevelopment});
  return std::nullopt;
}

std::string url_of(const Transport& transport) {
  if (transport.protocol != Protocol::http || transport.sockets.empty()) return {};
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  auto* const generic = reinterpret_cast<sockaddr*>(&name);
  if (::getsockname(transport.sockets.front().fd, generic, &size) != 0) return {};
  if (name.ss_family != AF_INET && name.ss_family != AF_INET6) return {};
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (::getnameinfo(generic, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  const bool v6 = name.ss_family == AF_INET6;
  return "http://" + (v6 ? '[' + std::string(host) + ']' : std::string(host)) + ':' + port + '/';
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
