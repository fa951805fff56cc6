#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/address.hpp"

/// Listening sockets in the service manager's descriptor store (sd_pid_notify_with_fds(3)): which
/// of them are whose, and what has to be said to the manager when listeners change. Where they come
/// back from is inherited_sockets.hpp.
namespace viaduct::daemon::master {

/// The name (FDNAME) of the socket for an address: always the same one, printable, without ':', of
/// at most 255 bytes. "viaduct-listener=unix%3A/run/viaduct/web.sock"; very long ones end in a
/// hash.
std::string store_name(const config::Address& address);

/// Whether store_name() made it.
bool is_store_name(std::string_view name);

/// Whether a descriptor is a listening stream socket bound to `address`, a path or an abstract
/// name, whether clients reach it there or not.
bool is_listening_at(int descriptor, const config::Address& address);

/// Whether a descriptor is a listening stream socket bound to `address`, at which clients reach it:
/// a socket file has to be there and its own. Not for Kind::systemd. Connects to socket files.
bool is_reached_at(int descriptor, const config::Address& address);

/// The socket file that a descriptor is bound to; "" when it is none.
std::string bound_path(int descriptor);

/// What is in the store: the socket (channel::socket_identity) of each name.
using StoreContent = std::map<std::string, std::uint64_t>;

struct StoreChanges {
  std::vector<std::string> forget;  ///< first
  std::vector<std::string> store;

  bool operator==(const StoreChanges&) const = default;
};

/// What turns one content into the other. A name whose socket has changed is forgotten and stored.
StoreChanges store_changes(const StoreContent& before, const StoreContent& after);

}  // namespace viaduct::daemon::master
