#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/config/listener_settings.hpp"
#include "daemon/master/inherited_sockets.hpp"
#include "daemon/master/listener_socket.hpp"

namespace viaduct::daemon::master {

/// The listening sockets of one configuration, in the order of its listeners. Two generations share
/// the sockets whose address both have.
class ListenerSet {
 public:
  ListenerSet() = default;
  explicit ListenerSet(std::vector<std::shared_ptr<ListenerSocket>> sockets)
      : sockets_(std::move(sockets)) {}

  /// Takes what `previous` (may be empty) and `inherited` have and opens the rest, also sockets
  /// whose file is gone or has been replaced (ListenerSocket::in_place()). Throws
  /// ListenerError, its text beginning with "listeners[0]: ", and leaves no new socket file behind.
  /// A socket that a listener `systemd:` does not name any more, or never did, is an error; one
  /// that was kept from a viaductd before is left in `inherited`.
  static ListenerSet open(const std::vector<config::ListenerSettings>& listeners,
                          InheritedSockets& inherited, const ListenerSet& previous);

  std::vector<int> descriptors() const;
  const std::vector<std::shared_ptr<ListenerSocket>>& sockets() const { return sockets_; }

  /// Addresses of which `previous` has another socket: its file was gone.
  std::vector<std::string> reopened_since(const ListenerSet& previous) const;

  /// Sets owner, mode and backlog of all sockets. Throws ListenerError once it has tried each: its
  /// text joins the failures with "; ", its errno is that of the first.
  void apply(const std::vector<config::ListenerSettings>& listeners);

  /// Puts the sockets right on which a bridge has ended the listening (ListenerSocket::repair()).
  /// Returns what has changed.
  std::vector<ListenerRepair> repair();
  /// ListenerSocket::reset_options() of each.
  void reset_options() noexcept;

  /// Removes the files of the sockets that `successor` does not have.
  void unlink_except(const ListenerSet& successor);

 private:
  bool contains(const std::shared_ptr<ListenerSocket>& socket) const;
  // A socket for that address which clients reach, and which `user` does not have yet; or null.
  std::shared_ptr<ListenerSocket> find_unused(const config::Address& address,
                                              const ListenerSet& user) const;

  std::vector<std::shared_ptr<ListenerSocket>> sockets_;
};

}  // namespace viaduct::daemon::master
