// A former bridge has the listening sockets as well, as long as it drains: what it sets there does
// not reach the connections of its successor.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/daemon/bridge/byte_client.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

constexpr std::size_t kHttp = 2;
constexpr unsigned kKeepalive = 2;  // the kernel's number for such a timer

struct Timer {
  unsigned kind = 0;
  double seconds = 0;
};

// That of the established connection from `local` to `remote`, both ports, as the kernel shows it.
std::optional<Timer> timer_of(unsigned local, unsigned remote) {
  std::ifstream table("/proc/net/tcp");
  std::string line;
  while (std::getline(table, line)) {
    unsigned from = 0;
    unsigned to = 0;
    unsigned state = 0;
    Timer timer;
    unsigned long ticks = 0;
    if (std::sscanf(line.c_str(), " %*u: %*x:%x %*x:%x %x %*x:%*x %x:%lx", &from, &to, &state,
                    &timer.kind, &ticks) != 5) {
      continue;
    }
    if (from != local || to != remote || state != TCP_ESTABLISHED) continue;
    timer.seconds = static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return timer;
  }
  return std::nullopt;
}

unsigned port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin_port);
}

int listen_hostile() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int off = 0;
  const int long_time = 32'767;
  EXPECT_EQ(::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &off, sizeof(off)), 0);
  EXPECT_EQ(::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &long_time, sizeof(long_time)), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(::listen(socket, 16), 0);
  return socket;
}

int connect_to_port(unsigned port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return socket;
}

class InheritedOptions : public BridgeTest {};

TEST_F(InheritedOptions, VanishedPeersAreNoticedWhateverTheListenerSays) {
  listen();
  ::close(listeners[kHttp]);
  listeners[kHttp] = listen_hostile();
  const unsigned port = port_of(listeners[kHttp]);
  settings.listeners[kHttp].address = {config::Address::Kind::tcp, "127.0.0.1",
                                       static_cast<std::uint16_t>(port)};
  start();
  FakeWorker& worker = add_worker();
  const int socket = connect_to_port(port);
  ByteClient client(stage, socket);
  client.raw("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  const auto request = worker.next_request();
  ASSERT_NE(request, nullptr);
  request->respond("ok");
  ASSERT_TRUE(client.wait_for("ok"));
  // Until the response is acknowledged, another timer is shown.
  std::optional<Timer> timer;
  ASSERT_TRUE(stage.run_until([&] {
    timer = timer_of(port, port_of(socket));
    return timer && timer->kind == kKeepalive;
  }));
  EXPECT_LE(timer->seconds, 60);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
