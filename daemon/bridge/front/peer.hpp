#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/peer_rule.hpp"

namespace viaduct::daemon::bridge {

/// Who is at the other end of a front connection.
struct Peer {
  /// Of a peer whom the kernel does not name: no rule has it.
  static constexpr std::uint32_t kNobody = UINT32_MAX;

  bool local = true;  ///< a Unix socket: uid and gid count, otherwise the address
  uid_t uid = kNobody;
  gid_t gid = kNobody;
  protocol::IpBytes address{};  ///< IPv4 addresses in their mapped form
  std::string host;             ///< the address as text, "10.0.0.5" or "2001:db8::5"; "" when local
  std::string port;             ///< "41230"; "" when local
  std::string name;             ///< for log lines: "pid 812 (uid 33)", "10.0.0.5:41230"
};

/// Asks the kernel about a connected socket.
Peer identify(int socket);
/// The same of our end of it; `uid` and `gid` are not set.
Peer identify_own_end(int socket);
/// The peer at an IP address, as a proxy names it. `address` is one.
Peer peer_at(std::string_view address, std::string_view port);

/// Both ends of a front connection.
struct Ends {
  Peer peer;
  Peer own;
};

/// Whether one of the rules names the peer. An empty list names nobody.
bool matches(const std::vector<protocol::PeerRule>& rules, const Peer& peer);

}  // namespace viaduct::daemon::bridge
