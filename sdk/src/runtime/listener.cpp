#include "sdk/src/runtime/listener.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

bool may_connect(const sockaddr_storage& peer, const std::vector<std::string>& allowed) {
  if (allowed.empty()) return true;
  if (peer.ss_family != AF_INET) return false;
  std::array<char, INET_ADDRSTRLEN> text{};
  const auto& address = reinterpret_cast<const sockaddr_in&>(peer);
  if (::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size()) == nullptr) return false;
  return std::find(allowed.begin(), allowed.end(), text.data()) != allowed.end();
}

}  // namespace

Listener::Listener(boost::asio::io_context& io, int fd, Protocol protocol_spoken,
                   std::vector<std::string> peers)
    : descriptor(io, fd), protocol(protocol_spoken), peers_(std::move(peers)) {
  descriptor.native_non_blocking(true);
}

int Listener::accept() {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const int fd = ::accept4(descriptor.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return -1;
  if (!may_connect(peer, peers_)) {
    ::close(fd);
    errno = ECONNABORTED;
    return -1;
  }
  const int on = 1;
  if (peer.ss_family != AF_UNIX) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
