#include "daemon/bridge/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>

#include <gtest/gtest.h>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::bridge {
namespace {

struct Option {
  const char* name;
  int level, option;
  int hostile;  // what a former bridge sets on the listening socket
  int own;      // what a connection has after all
};

constexpr std::array<Option, 4> kOptions{{{"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 0, 1},
                                          {"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 32'767, 60},
                                          {"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 32'767, 15},
                                          {"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 1, 4}}};

int value_of(int socket, int level, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT_EQ(::getsockopt(socket, level, option, &value, &size), 0);
  return value;
}

linger linger_of(int socket) {
  linger value{};
  socklen_t size = sizeof(value);
  EXPECT_EQ(::getsockopt(socket, SOL_SOCKET, SO_LINGER, &value, &size), 0);
  return value;
}

TEST(SettleOptionsTest, ConnectionsKeepNothingThatTheyInherit) {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  const linger hour{1, 3600};
  ASSERT_EQ(::setsockopt(listener.get(), SOL_SOCKET, SO_LINGER, &hour, sizeof(hour)), 0);
  for (const Option& one : kOptions) {
    ASSERT_EQ(
        ::setsockopt(listener.get(), one.level, one.option, &one.hostile, sizeof(one.hostile)), 0)
        << one.name;
  }
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  const UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(accepted);
  ASSERT_EQ(linger_of(accepted.get()).l_linger, 3600) << "it is inherited";
  ASSERT_EQ(value_of(accepted.get(), IPPROTO_TCP, TCP_KEEPIDLE), 32'767);

  settle_options(accepted.get());
  EXPECT_EQ(linger_of(accepted.get()).l_onoff, 0);
  for (const Option& one : kOptions) {
    EXPECT_EQ(value_of(accepted.get(), one.level, one.option), one.own) << one.name;
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge
