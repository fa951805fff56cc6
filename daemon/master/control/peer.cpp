#include "daemon/master/control/peer.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace viaduct::daemon::master::control {

namespace {

std::vector<gid_t> groups_of(int socket) {
  std::vector<gid_t> groups(32);
  for (;;) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    const int result = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
    if (result != 0 && errno != ERANGE) {
      throw std::system_error(errno, std::generic_category(), "SO_PEERGROUPS");
    }
    // With ERANGE the kernel has said how much room it needs.
    groups.resize(size / sizeof(gid_t));
    if (result == 0) return groups;
  }
}

}  // namespace

Peer peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "SO_PEERCRED");
  }
  return {credentials.pid, credentials.uid, credentials.gid, groups_of(socket)};
}

bool Permission::may_change(const Peer& peer) const {
  if (peer.uid == 0 || peer.uid == own_uid) return true;
  if (!group) return false;
  return peer.gid == *group ||
         std::find(peer.groups.begin(), peer.groups.end(), *group) != peer.groups.end();
}

}  // namespace viaduct::daemon::master::control
