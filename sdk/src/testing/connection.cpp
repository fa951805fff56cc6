#include "sdk/src/testing/connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

bool for_a_moment(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

Connection::Connection(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    if (fd_ >= 0) ::close(fd_);
    throw std::system_error(error, std::generic_category(),
                            "connect to 127.0.0.1:" + std::to_string(port));
  }
}

Connection::~Connection() {
  ::close(fd_);
}

void Connection::send(protocol::Output& output) {
  std::array<protocol::Bytes, 16> pieces;
  const std::size_t count = output.gather(pieces);
  for (std::size_t i = 0; i < count; ++i) {
    const ssize_t sent =
        ::send(fd_, pieces[i].data(), pieces[i].size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      // An application may answer without reading the body: then the answer is what matters.
      if (!for_a_moment(errno)) output.consume(output.size());
      return;
    }
    output.consume(static_cast<std::size_t>(sent));
    if (static_cast<std::size_t>(sent) < pieces[i].size()) return;
  }
}

bool Connection::receive(Transport& transport, ReplyBuilder& reply) {
  std::array<std::byte, 64 * 1024> buffer;
  const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) return for_a_moment(errno);
  if (got == 0) {
    transport.end_of_file(reply);
    return false;
  }
  transport.feed({buffer.data(), static_cast<std::size_t>(got)}, reply);
  return true;
}

bool Connection::perform(Transport& transport, ReplyBuilder& reply, Clock::time_point until) {
  protocol::Output& output = transport.output();
  while (!transport.done() && !reply.left()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return false;
    pollfd ready{fd_, static_cast<short>(output.empty() ? POLLIN : POLLIN | POLLOUT), 0};
    if (::poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left, 60000))) < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "poll");
    }
    if ((ready.revents & POLLOUT) != 0) send(output);
    if ((ready.revents & ~POLLOUT) != 0 && !receive(transport, reply)) return true;
  }
  return true;
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
