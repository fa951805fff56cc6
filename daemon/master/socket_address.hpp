#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "daemon/config/address.hpp"

namespace viaduct::daemon::master {

/// A socket address as the system calls take it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

/// Throws std::system_error (ENAMETOOLONG) when `path` does not fit.
SocketAddress unix_address(const std::string& path, bool abstract = false);

/// The resolver's words for a host that it knows no address of.
class UnknownHost : public std::runtime_error {
 public:
  UnknownHost(const std::string& text, int error) : std::runtime_error(text), error_(error) {}

  /// EAGAIN when no server of names could be asked; 0 when the name does not exist.
  [[nodiscard]] int error() const noexcept { return error_; }

 private:
  int error_;
};

/// All addresses that a listener's host resolves to, in the resolver's order. Throws UnknownHost.
std::vector<SocketAddress> tcp_addresses(const std::string& host, std::uint16_t port);

/// Who listens on a Unix socket, found out by connecting to it.
struct Probe {
  bool alive = false;
  int error = 0;  ///< errno of connect(); 0 when it succeeded
  pid_t pid = 0;  ///< of the listener; 0: unknown
};
Probe probe_listener(const SocketAddress& address);

/// The name of a process as in /proc/PID/comm; "" when it is gone.
std::string process_name(pid_t pid);

}  // namespace viaduct::daemon::master
