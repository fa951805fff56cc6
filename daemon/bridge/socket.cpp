#include "daemon/bridge/socket.hpp"

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace viaduct::daemon::bridge {

namespace {

std::error_code last_error() {
  return {errno, std::generic_category()};
}

}  // namespace

void Socket::open(int descriptor) {
  close();
  descriptor_ = descriptor;
  events_ = 0;
  reactor_.watch(descriptor_, watcher_, events_, EPOLL_CTL_ADD);
}

void Socket::close() {
  if (const int descriptor = release(); descriptor >= 0) ::close(descriptor);
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

int connect_unix(const char* path, std::error_code& error) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    error = last_error();
    return -1;
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    error.clear();
    return descriptor;
  }
  error = last_error();
  ::close(descriptor);
  return -1;
}

}  // namespace viaduct::daemon::bridge
