#include "daemon/bridge/front/peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace viaduct::daemon::bridge {

namespace {

void identify_local(int socket, Peer& peer) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) {
    peer.uid = credentials.uid;
    peer.gid = credentials.gid;
  }
  peer.name =
      "pid " + std::to_string(credentials.pid) + " (uid " + std::to_string(credentials.uid) + ")";
}

void set_ipv4(const sockaddr_in& from, Peer& peer) {
  peer.address = {};
  peer.address[10] = peer.address[11] = 0xff;
  std::memcpy(peer.address.data() + 12, &from.sin_addr, 4);
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &from.sin_addr, text.data(), text.size());
  peer.host = text.data();
  peer.port = std::to_string(ntohs(from.sin_port));
  peer.name = peer.host + ":" + peer.port;
}

void set_ipv6(const sockaddr_in6& from, Peer& peer) {
  if (IN6_IS_ADDR_V4MAPPED(&from.sin6_addr)) {
    sockaddr_in ipv4{};
    ipv4.sin_port = from.sin6_port;
    std::memcpy(&ipv4.sin_addr, from.sin6_addr.s6_addr + 12, 4);
    return set_ipv4(ipv4, peer);
  }
  std::memcpy(peer.address.data(), &from.sin6_addr, peer.address.size());
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, &from.sin6_addr, text.data(), text.size());
  peer.host = text.data();
  peer.port = std::to_string(ntohs(from.sin6_port));
  peer.name = "[" + peer.host + "]:" + peer.port;
}

using AddressOf = int (*)(int, sockaddr*, socklen_t*);

Peer identify_end(int socket, AddressOf address_of) {
  Peer peer;
  sockaddr_storage from{};
  socklen_t size = sizeof(from);
  if (address_of(socket, reinterpret_cast<sockaddr*>(&from), &size) != 0) {
    peer.name = "unknown";
  } else if (from.ss_family == AF_INET) {
    peer.local = false;
    set_ipv4(reinterpret_cast<const sockaddr_in&>(from), peer);
  } else if (from.ss_family == AF_INET6) {
    peer.local = false;
    set_ipv6(reinterpret_cast<const sockaddr_in6&>(from), peer);
  }
  return peer;
}

}  // namespace

Peer identify(int socket) {
  Peer peer = identify_end(socket, ::getpeername);
  if (peer.local && peer.name.empty()) identify_local(socket, peer);
  return peer;
}

Peer identify_own_end(int socket) {
  return identify_end(socket, ::getsockname);
}

Peer peer_at(std::string_view address, std::string_view port) {
  Peer peer;
  const auto bytes = protocol::parse_ip(address);
  if (!bytes) return peer;
  peer.local = false;
  peer.address = *bytes;
  peer.host = protocol::format_ip(*bytes);
  peer.port = port;
  peer.name = (protocol::is_ipv4(*bytes) ? peer.host : "[" + peer.host + "]") + ":" + peer.port;
  return peer;
}

bool matches(const std::vector<protocol::PeerRule>& rules, const Peer& peer) {
  using Kind = protocol::PeerRule::Kind;
  return std::any_of(rules.begin(), rules.end(), [&](const protocol::PeerRule& rule) {
    switch (rule.kind) {
      case Kind::network:
        return !peer.local && protocol::matches_address(rule, peer.address);
      case Kind::uid:
        return peer.local && peer.uid == rule.id;
      case Kind::gid:
        return peer.local && peer.gid == rule.id;
    }
    return false;
  });
}

}  // namespace viaduct::daemon::bridge
