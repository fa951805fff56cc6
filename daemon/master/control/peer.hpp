#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

namespace viaduct::daemon::master::control {

/// The process at the other end of a Unix socket, as it was when it connected.
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary
};

/// Throws std::system_error.
Peer peer_of(int socket);

/// Whose commands are obeyed: root's, those of the daemon's own user, and those of members of
/// control.group where that is configured. Everybody else who can connect may only read.
struct Permission {
  uid_t own_uid = 0;
  std::optional<gid_t> group;

  bool may_change(const Peer& peer) const;
};

}  // namespace viaduct::daemon::master::control
