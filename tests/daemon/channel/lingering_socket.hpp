#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::channel {

/// A TCP connection whose last close() waits: SO_LINGER is on and nobody reads what was sent.
struct LingeringSocket {
  UniqueFd socket;
  UniqueFd peer;

  explicit LingeringSocket(int seconds) {
    const auto fail = [](const char* call) {
      throw std::system_error(errno, std::generic_category(), call);
    };
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener.get(), generic, length) != 0 || ::listen(listener.get(), 1) != 0 ||
        ::getsockname(listener.get(), generic, &length) != 0) {
      fail("listen");
    }
    socket.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(socket.get(), generic, length) != 0) fail("connect");
    peer.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::string bytes(64 * 1024, 'x');
    while (::send(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
    const linger wait{1, seconds};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &wait, sizeof(wait));
  }
};

}  // namespace viaduct::daemon::channel
