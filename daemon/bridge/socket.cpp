#include "daemon/bridge/socket.hpp"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace viaduct::daemon::bridge {

namespace {

std::error_code last_error() {
  return {errno, std::generic_category()};
}

Destination unix_socket(std::string_view name, bool abstract) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // An abstract name begins with a NUL and has no end mark; a path has one.
  const std::size_t lead = abstract ? 1 : 0;
  const std::size_t length = lead + name.size() + (abstract ? 0 : 1);
  if (length > sizeof(address.sun_path)) return {};
  std::memcpy(address.sun_path + lead, name.data(), name.size());
  Destination result;
  std::memcpy(&result.storage, &address, sizeof(address));
  result.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  return result;
}

Destination internet(const config::Address& address) {
  Destination result;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, address.name.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&result.storage, &v4, sizeof(v4));
    result.length = sizeof(v4);
  } else if (::inet_pton(AF_INET6, address.name.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    std::memcpy(&result.storage, &v6, sizeof(v6));
    result.length = sizeof(v6);
  }
  return result;
}

}  // namespace

void Socket::open(int descriptor) {
  close();
  descriptor_ = descriptor;
  events_ = 0;
  reactor_.watch(descriptor_, watcher_, events_, EPOLL_CTL_ADD);
}

void Socket::close() {
  const int descriptor = release();
  if (descriptor < 0) return;
  if (shared_) never_linger(descriptor);
  ::close(descriptor);
}

int Socket::release() {
  if (descriptor_ >= 0) reactor_.unwatch(descriptor_, watcher_);
  return std::exchange(descriptor_, -1);
}

void Socket::change(std::uint32_t event, bool watch) {
  const std::uint32_t events = watch ? events_ | event : events_ & ~event;
  if (descriptor_ < 0 || events == events_) return;
  events_ = events;
  reactor_.watch(descriptor_, watcher_, events_, EPOLL_CTL_MOD);
}

void never_linger(int socket) {
  const linger none{};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

void settle_options(int socket) {
  never_linger(socket);
  struct Option {
    int level, name, value;
  };
  constexpr std::array<Option, 4> kOptions{{{SOL_SOCKET, SO_KEEPALIVE, 1},
                                            {IPPROTO_TCP, TCP_KEEPIDLE, 60},
                                            {IPPROTO_TCP, TCP_KEEPINTVL, 15},
                                            {IPPROTO_TCP, TCP_KEEPCNT, 4}}};
  for (const auto& [level, name, value] : kOptions) {
    ::setsockopt(socket, level, name, &value, sizeof(value));
  }
}

Transfer receive(int socket, std::span<std::byte> into) {
  Transfer result;
  ssize_t count = 0;
  do {
    count = ::recv(socket, into.data(), into.size(), MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    result.bytes = static_cast<std::size_t>(count);
  } else if (count == 0) {
    result.ended = true;
  } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
    result.blocked = true;
  } else {
    result.error = last_error();
  }
  return result;
}

bool has_input(int socket) {
  std::byte first{};
  return ::recv(socket, &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

Transfer send(int socket, protocol::Output& output) {
  Transfer result;
  std::array<protocol::Bytes, 32> pieces;
  std::array<iovec, 32> vectors;
  while (!output.empty()) {
    const std::size_t count = output.gather(pieces);
    std::size_t offered = 0;
    for (std::size_t i = 0; i < count; ++i) {
      vectors[i] = {const_cast<std::byte*>(pieces[i].data()), pieces[i].size()};
      offered += pieces[i].size();
    }
    msghdr header{};
    header.msg_iov = vectors.data();
    header.msg_iovlen = count;
    constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
    // The usual short answer is one piece, for which the kernel need not copy a vector.
    const ssize_t sent = count == 1 ? ::send(socket, pieces[0].data(), pieces[0].size(), kFlags)
                                    : ::sendmsg(socket, &header, kFlags);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        result.blocked = true;
      } else {
        result.error = last_error();
      }
      return result;
    }
    output.consume(static_cast<std::size_t>(sent));
    result.bytes += static_cast<std::size_t>(sent);
    if (static_cast<std::size_t>(sent) < offered) {
      result.blocked = true;
      return result;
    }
  }
  return result;
}

std::uint64_t unacknowledged(int socket) {
  int bytes = 0;
  if (::ioctl(socket, SIOCOUTQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::uint64_t>(bytes);
}

std::optional<std::uint64_t> memory_of_writes(std::size_t first, std::size_t second) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return std::nullopt;
  }
  const std::vector<std::byte> bytes(std::max(first, second));
  bool all = true;
  for (const std::size_t size : {first, second}) {
    const ssize_t sent = ::send(ends[0], bytes.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
    all = all && sent == static_cast<ssize_t>(size);
  }
  const std::uint64_t memory = unacknowledged(ends[0]);
  for (const int end : ends) ::close(end);
  return all ? std::optional(memory) : std::nullopt;
}

Destination unix_destination(std::string_view path) {
  return destination_of({config::Address::Kind::unix_path, std::string(path), 0});
}

Destination destination_of(const config::Address& address) {
  switch (address.kind) {
    case config::Address::Kind::unix_path:
      return unix_socket(address.name, false);
    case config::Address::Kind::unix_abstract:
      return unix_socket(address.name, true);
    case config::Address::Kind::tcp:
      return internet(address);
    case config::Address::Kind::systemd:
      break;
  }
  return {};
}

Connecting connect_to(const Destination& destination) {
  const int family = destination.storage.ss_family;
  const int descriptor = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return {.error = last_error()};
  if (family != AF_UNIX) {
    // Requests are written in one piece: there is nothing to wait for.
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  const auto* address = reinterpret_cast<const sockaddr*>(&destination.storage);
  if (::connect(descriptor, address, destination.length) == 0) return {.descriptor = descriptor};
  if (errno == EINPROGRESS) return {.descriptor = descriptor, .pending = true};
  const std::error_code error = last_error();
  ::close(descriptor);
  return {.error = error};
}

std::error_code pending_error(int descriptor) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return last_error();
  return {error, std::generic_category()};
}

}  // namespace viaduct::daemon::bridge
