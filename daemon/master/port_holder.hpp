#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/master/socket_address.hpp"

namespace viaduct::daemon::master {

/// The inodes of listening sockets in a table as of /proc/net/tcp and tcp6 that keep `wanted` from
/// being bound: the same port, and the same address or that of all. Lines of another form are
/// ignored.
std::vector<std::uint64_t> sockets_in_the_way(std::string_view table, const SocketAddress& wanted);

/// The process that listens where `wanted` was to be bound; of several, the one with the lowest id.
/// 0: none is found, as with processes of other users unless this one is root's. Looks at the
/// descriptors of every process.
pid_t port_holder(const SocketAddress& wanted);

}  // namespace viaduct::daemon::master
