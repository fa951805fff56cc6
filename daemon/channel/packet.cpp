#include "daemon/channel/packet.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "daemon/channel/background_closer.hpp"

namespace viaduct::daemon::channel {

namespace {

std::error_code last_error() {
  return {errno, std::generic_category()};
}

// The kernel passes on no more in one packet (SCM_MAX_FD): with room for all of them none is lost.
constexpr std::size_t kMaxDescriptors = 253;

// All that came, so that none stays open unnoticed; how many there were.
std::size_t take_descriptors(msghdr& header, std::span<int> into) {
  std::size_t count = 0;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    const std::size_t taken = std::min(here, into.size() - count);
    std::memcpy(into.data() + count, CMSG_DATA(c), taken * sizeof(int));
    count += taken;
  }
  return count;
}

}  // namespace

std::error_code send_packet(int socket, std::span<const std::byte> bytes, int descriptor) {
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (descriptor >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof(control);
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(c), &descriptor, sizeof(int));
  }
  while (::sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno != EINTR) return last_error();
  }
  return {};
}

std::optional<Packet> receive_packet(int socket, std::span<std::byte> into,
                                     BackgroundCloser& closer, std::error_code& error) {
  error.clear();
  iovec part{into.data(), into.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxDescriptors * sizeof(int))];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    if (errno != EAGAIN) error = last_error();
    return std::nullopt;
  }
  if (size == 0) {
    error = std::make_error_code(std::errc::not_connected);
    return std::nullopt;
  }
  std::array<int, kMaxDescriptors> descriptors;
  const std::size_t count = take_descriptors(header, descriptors);
  if (count > 1 || (header.msg_flags & MSG_CTRUNC) != 0) {
    for (const int descriptor : std::span(descriptors).first(count)) {
      closer.close(UniqueFd(descriptor));
    }
    error = std::make_error_code(std::errc::bad_message);
    return std::nullopt;
  }
  return Packet{static_cast<std::size_t>(size), (header.msg_flags & MSG_TRUNC) != 0,
                count == 1 ? descriptors.front() : -1};
}

Pair make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::system_error(last_error(), "socketpair");
  }
  return {ends[0], ends[1]};
}

}  // namespace viaduct::daemon::channel
