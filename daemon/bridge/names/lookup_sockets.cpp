#include "daemon/bridge/names/lookup_sockets.hpp"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstddef>

namespace viaduct::daemon::bridge {

namespace {

ares_socket_t open_socket(int family, int type, int protocol, void* /*data*/) {
  return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

int close_socket(ares_socket_t socket, void* /*data*/) {
  return ::close(socket);
}

int connect_socket(ares_socket_t socket, const sockaddr* to, ares_socklen_t size, void* /*data*/) {
  return ::connect(socket, to, size);
}

ares_ssize_t receive(ares_socket_t socket, void* into, std::size_t size, int flags, sockaddr* from,
                     ares_socklen_t* from_size, void* /*data*/) {
  return ::recvfrom(socket, into, size, flags, from, from_size);
}

ares_ssize_t send(ares_socket_t socket, const iovec* pieces, int count, void* /*data*/) {
  return ::writev(socket, pieces, count);
}

constexpr ares_socket_functions kFunctions{open_socket, close_socket, connect_socket, receive,
                                           send};

}  // namespace

void use_nonblocking_sockets(ares_channel channel) {
  ::ares_set_socket_functions(channel, &kFunctions, nullptr);
}

}  // namespace viaduct::daemon::bridge
