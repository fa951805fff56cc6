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
  peer.name = std::string(text.data()) + ":" + std::to_string(ntohs(from.sin_port));
}

void set_ipv6(const sockaddr_in6& from, Peer& peer) {
  std::memcpy(peer.address.data(), &from.sin6_addr, peer.address.size());
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, &from.sin6_addr, text.data(), text.size());
  peer.name = "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(from.sin6_port));
}

}  // namespace

Peer identify(int socket) {
  Peer peer;
  sockaddr_storage from{};
  socklen_t size = sizeof(from);
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&from), &size) != 0) {
    peer.name = "unknown";
  } else if (from.ss_family == AF_INET) {
    peer.local = false;
    set_ipv4(reinterpret_cast<const sockaddr_in&>(from), peer);
  } else if (from.ss_family == AF_INET6) {
    peer.local = false;
    set_ipv6(reinterpret_cast<const sockaddr_in6&>(from), peer);
  } else {
    identify_local(socket, peer);
  }
  return peer;
}

bool matches(const std::vector<config::PeerRule>& rules, const Peer& peer) {
  using Kind = config::PeerRule::Kind;
  return std::any_of(rules.begin(), rules.end(), [&](const config::PeerRule& rule) {
    switch (rule.kind) {
      case Kind::network:
        return !peer.local && config::matches_address(rule, peer.address);
      case Kind::uid:
        return peer.local && peer.uid == rule.id;
      case Kind::gid:
        return peer.local && peer.gid == rule.id;
    }
    return false;
  });
}

}  // namespace viaduct::daemon::bridge
