#pragma once

#include <string>
#include <vector>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::master {

/// Sockets that the service manager opened (sd_listen_fds(3)): each is handed out once, by the name
/// in LISTEN_FDNAMES. Several of one name are handed out in their order.
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

  /// Names of those that nobody has taken.
  std::vector<std::string> left() const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace viaduct::daemon::master
