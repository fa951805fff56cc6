// Socket addresses as the configuration and the command line spell them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace viaduct::daemon::config {

// One of
//   unix:/path          a socket file; 107 bytes at most, what sockaddr_un holds
//   unix:@name          an abstract socket; name is without the '@', 106 bytes at most
//   tcp:HOST:PORT       HOST a name, an IPv4 address, or an IPv6 address in brackets; PORT from 1
//   systemd:NAME        the inherited descriptor of that name (LISTEN_FDNAMES)
struct Address {
  enum class Kind { unix_path, unix_abstract, tcp, systemd };

  Kind kind = Kind::unix_path;
  std::string name;        // path, abstract name, host (IPv6 without brackets) or descriptor name
  std::uint16_t port = 0;  // tcp only

  bool is_unix() const { return kind == Kind::unix_path || kind == Kind::unix_abstract; }

  friend bool operator==(const Address&, const Address&) = default;
};

// The address, or a text that says what was expected. A relative socket path is kept as it is.
std::variant<Address, std::string> parse_address(std::string_view text);

// The inverse of parse_address: "unix:/run/viaduct/web.sock".
std::string format(const Address& address);

// Whether the host of a TCP address is an IP address, not a name. False for other kinds.
bool is_ip_address(const Address& address);

// Whether a TCP address can be reached only from this machine: 127.0.0.0/8, ::1 (also mapped) or
// "localhost". Any other host name counts as reachable from outside. False for other kinds.
bool is_loopback(const Address& address);

}  // namespace viaduct::daemon::config
