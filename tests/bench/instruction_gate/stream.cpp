#include "tests/bench/instruction_gate/stream.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/instruction_gate/plan.hpp"

namespace viaduct::bench {
namespace {

constexpr std::size_t kMostAtOnce = std::size_t{1} << 20;
constexpr int kBacklog = 1024;

int require(int result, const char* call) {
  if (result < 0) give_up(std::string(call) + ": " + std::strerror(errno));
  return result;
}

Descriptor new_socket() {
  return Descriptor(
      require(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
}

}  // namespace

void Stream::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) give_up("a batch does not fit into the socket");
    bytes.remove_prefix(static_cast<std::size_t>(require(static_cast<int>(sent), "send")));
  }
}

std::string_view Stream::receive() {
  static std::vector<char> buffer(kMostAtOnce);
  std::size_t size = 0;
  while (true) {
    const ssize_t got =
        ::recv(socket_.get(), buffer.data() + size, buffer.size() - size, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return {buffer.data(), size};
    if (require(static_cast<int>(got), "recv") == 0) give_up("the program closed a connection");
    size += static_cast<std::size_t>(got);
  }
}

Descriptor listen_somewhere() {
  Descriptor socket = new_socket();
  sockaddr_un any{};
  any.sun_family = AF_UNIX;
  require(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any.sun_family),
          "bind");
  require(::listen(socket.get(), kBacklog), "listen");
  return socket;
}

Descriptor connect_to(const Descriptor& listener) {
  sockaddr_un name{};
  socklen_t size = sizeof name;
  auto* const address = reinterpret_cast<sockaddr*>(&name);
  require(::getsockname(listener.get(), address, &size), "getsockname");
  Descriptor socket = new_socket();
  require(::connect(socket.get(), address, size), "connect");
  return socket;
}

}  // namespace viaduct::bench
