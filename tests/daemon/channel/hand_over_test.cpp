#include "daemon/channel/hand_over.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include <gtest/gtest.h>

#include "daemon/channel/background_closer.hpp"
#include "daemon/channel/packet.hpp"

namespace viaduct::daemon::channel {
namespace {

class HandOverTest : public testing::Test {
 protected:
  HandOverTest() {
    const Pair pair = make_pair();
    here_.reset(pair.first);
    there_.reset(pair.second);
    const Pair connection = make_pair();
    connection_.reset(connection.first);
    peer_.reset(connection.second);
  }

  UniqueFd here_, there_, connection_, peer_;
  BackgroundCloser closer_;
  std::error_code error_;
};

TEST_F(HandOverTest, ConnectionArrivesWithItsListener) {
  ASSERT_FALSE(send_connection(here_.get(), 0x0102030405060708, connection_.get()));
  const auto got = receive_connection(there_.get(), closer_, error_);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->listener, 0x0102030405060708u);
  EXPECT_EQ(socket_identity(got->connection.get()), socket_identity(connection_.get()));
  EXPECT_EQ(::fcntl(got->connection.get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(HandOverTest, PacketIsTheListenerInBigEndian) {
  ASSERT_FALSE(send_connection(here_.get(), 0x0102030405060708, connection_.get()));
  std::array<std::byte, 16> bytes{};
  const auto packet = receive_packet(there_.get(), bytes, closer_, error_);
  ASSERT_TRUE(packet);
  ::close(packet->descriptor);
  ASSERT_EQ(packet->size, 8u);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(std::to_integer<int>(bytes[i]), int(i) + 1);
}

TEST_F(HandOverTest, PacketsOfAnotherFormAreRefused) {
  const std::array<std::byte, 9> bytes{};
  ASSERT_FALSE(send_packet(here_.get(), std::span(bytes).first(7), connection_.get()));
  EXPECT_FALSE(receive_connection(there_.get(), closer_, error_));
  EXPECT_EQ(error_, std::errc::bad_message);
  ASSERT_FALSE(send_packet(here_.get(), bytes, connection_.get()));
  EXPECT_FALSE(receive_connection(there_.get(), closer_, error_));
  EXPECT_EQ(error_, std::errc::bad_message);
  ASSERT_FALSE(send_packet(here_.get(), std::span(bytes).first(8)));
  EXPECT_FALSE(receive_connection(there_.get(), closer_, error_)) << "without a connection";
  EXPECT_EQ(error_, std::errc::bad_message);
}

TEST_F(HandOverTest, ClosedPeerIsAnError) {
  here_.reset();
  EXPECT_FALSE(receive_connection(there_.get(), closer_, error_));
  EXPECT_EQ(error_, std::errc::not_connected);
}

// A listener, a client of it, and the connection that it accepted.
struct Accepted {
  explicit Accepted(const sockaddr* address, socklen_t length)
      : listener(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        client(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(::bind(listener.get(), address, length), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    const Listening described = describe_listening(listener.get());
    EXPECT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&described.address),
                        described.length),
              0);
    connection.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  Origin origin_of(int descriptor) const {
    return channel::origin_of(describe_listening(listener.get()), descriptor);
  }

  UniqueFd listener, client, connection;
};

Accepted accepted_v4(in_addr_t bound) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(bound);
  return Accepted(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

Accepted accepted_v6(const in6_addr& bound) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = bound;
  return Accepted(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

Accepted accepted_unix() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // The kernel picks a name in the abstract namespace.
  return Accepted(reinterpret_cast<const sockaddr*>(&address), sizeof(sa_family_t));
}

TEST(OriginTest, ConnectionsOfTheListenerAndNoOthers) {
  const Accepted all[] = {accepted_v4(INADDR_ANY),  accepted_v4(INADDR_LOOPBACK),
                          accepted_v6(in6addr_any), accepted_v6(in6addr_loopback),
                          accepted_unix(),          accepted_unix()};
  for (const Accepted& one : all) {
    for (const Accepted& other : all) {
      EXPECT_EQ(one.origin_of(other.connection.get()),
                &one == &other ? Origin::listener : Origin::foreign);
      EXPECT_EQ(one.origin_of(other.client.get()), Origin::foreign);
      EXPECT_EQ(one.origin_of(other.listener.get()), Origin::foreign) << "it listens";
    }
  }
}

TEST(OriginTest, AnythingElseIsForeign) {
  const Accepted one = accepted_v4(INADDR_LOOPBACK);
  const Pair pair = make_pair();
  const UniqueFd first(pair.first);
  const UniqueFd second(pair.second);
  const UniqueFd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const UniqueFd datagram(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const UniqueFd fresh(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  for (const int descriptor : {first.get(), file.get(), datagram.get(), fresh.get(), -1}) {
    EXPECT_EQ(one.origin_of(descriptor), Origin::foreign);
  }
}

TEST(OriginTest, ClientsMayHaveLeft) {
  Accepted one = accepted_v4(INADDR_LOOPBACK);
  const linger reset{1, 0};
  ::setsockopt(one.client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  one.client.reset();
  pollfd wait{one.connection.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&wait, 1, 60'000), 1);
  EXPECT_EQ(one.origin_of(one.connection.get()), Origin::disconnected);
}

TEST_F(HandOverTest, IdentitiesDiffer) {
  EXPECT_NE(socket_identity(here_.get()), socket_identity(there_.get()));
  EXPECT_THROW((void)socket_identity(-1), std::system_error);
}

}  // namespace
}  // namespace viaduct::daemon::channel
