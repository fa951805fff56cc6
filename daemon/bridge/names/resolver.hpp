#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/bridge/names/server_names.hpp"
#include "daemon/bridge/reactor.hpp"

namespace viaduct::daemon::bridge {

/// A name that is being looked up. Destroying it gives up.
class Lookup {
 public:
  virtual ~Lookup() = default;
};

/// Looks up the addresses of hosts as the machine does: in /etc/hosts and the DNS, in the order of
/// /etc/nsswitch.conf, with the name servers, search list and options of /etc/resolv.conf; all of
/// these are read anew for every name. By c-ares, on the reactor, without blocking.
///
/// A name server has 1 s to answer, then the next one is asked, and each of them three times, with
/// 2 s and 4 s. What does not fit into a datagram is asked for by TCP.
class Resolver {
 public:
  /// `servers`: "ADDRESS:PORT,..." in place of those in /etc/resolv.conf; "": those. Throws
  /// std::system_error when c-ares cannot be used.
  explicit Resolver(Reactor& reactor, std::string servers = {});
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  using Done = std::function<void(const Resolution&)>;
  /// What is known of the addresses of a name, so that an answer that has none of a kind is asked
  /// for that kind once more: of two questions, one may have failed.
  struct Known {
    bool ipv4 = false;
    bool ipv6 = false;
  };

  /// Calls `done` once, from the reactor's loop, never from within this; it may destroy the lookup.
  [[nodiscard]] std::shared_ptr<Lookup> look_up(const std::string& name, Known known, Done done);

 private:
  Reactor& reactor_;
  std::string servers_;
};

}  // namespace viaduct::daemon::bridge
