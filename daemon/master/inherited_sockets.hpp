#pragma once

#include <string>
#include <vector>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/address.hpp"
#include "daemon/master/stored_listener.hpp"

namespace viaduct::daemon::master {

/// Sockets that the service manager opened or kept (sd_listen_fds(3)): each is handed out once, by
/// the name in LISTEN_FDNAMES. Several of one name are handed out in their order. Those whose name
/// store_name() made were opened by a viaductd before this one, and kept.
class InheritedSockets {
 public:
  struct Entry {
    std::string name;
    UniqueFd descriptor;
  };

  InheritedSockets() = default;
  explicit InheritedSockets(std::vector<Entry> entries) : entries_(std::move(entries)) {}

  /// Reads LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES and removes them from the environment. Throws
  /// std::system_error when they are malformed.
  static InheritedSockets from_environment();

  /// The next descriptor of that name; none (-1) when there is no further one.
  UniqueFd take(const std::string& name);

  /// Names of those that nobody has taken, but for the kept ones.
  std::vector<std::string> left() const;

  /// The kept sockets for an address; none: -1. Further ones of its name are closed, and what is no
  /// listener of this address.
  struct Stored {
    UniqueFd reached;  ///< clients reach it there
    UniqueFd former;   ///< of a path: they no longer do, and may have connected to it before
  };
  Stored take_stored(const config::Address& address);
  /// The kept sockets that nobody has taken.
  std::vector<Entry> take_stored();
  /// Calls `function(name, descriptor)` for the same, and leaves them.
  template <class Function>
  void for_each_stored(Function function) const {
    for (const Entry& entry : entries_) {
      if (entry.descriptor && is_store_name(entry.name)) {
        function(entry.name, entry.descriptor.get());
      }
    }
  }

 private:
  std::vector<Entry> entries_;
};

}  // namespace viaduct::daemon::master
