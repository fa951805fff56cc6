#include "daemon/channel/hand_over.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include <gtest/gtest.h>

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
  std::error_code error_;
};

TEST_F(HandOverTest, ConnectionArrivesWithItsListener) {
  ASSERT_FALSE(send_connection(here_.get(), 0x0102030405060708, connection_.get()));
  const auto got = receive_connection(there_.get(), error_);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->listener, 0x0102030405060708u);
  EXPECT_EQ(socket_identity(got->connection.get()), socket_identity(connection_.get()));
  EXPECT_EQ(::fcntl(got->connection.get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(HandOverTest, PacketIsTheListenerInBigEndian) {
  ASSERT_FALSE(send_connection(here_.get(), 0x0102030405060708, connection_.get()));
  std::array<std::byte, 16> bytes{};
  const auto packet = receive_packet(there_.get(), bytes, error_);
  ASSERT_TRUE(packet);
  ::close(packet->descriptor);
  ASSERT_EQ(packet->size, 8u);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(std::to_integer<int>(bytes[i]), int(i) + 1);
}

TEST_F(HandOverTest, PacketsOfAnotherFormAreRefused) {
  const std::array<std::byte, 9> bytes{};
  ASSERT_FALSE(send_packet(here_.get(), std::span(bytes).first(7), connection_.get()));
  EXPECT_FALSE(receive_connection(there_.get(), error_));
  EXPECT_EQ(error_, std::errc::bad_message);
  ASSERT_FALSE(send_packet(here_.get(), bytes, connection_.get()));
  EXPECT_FALSE(receive_connection(there_.get(), error_));
  EXPECT_EQ(error_, std::errc::bad_message);
  ASSERT_FALSE(send_packet(here_.get(), std::span(bytes).first(8)));
  EXPECT_FALSE(receive_connection(there_.get(), error_)) << "without a connection";
  EXPECT_EQ(error_, std::errc::bad_message);
}

TEST_F(HandOverTest, ClosedPeerIsAnError) {
  here_.reset();
  EXPECT_FALSE(receive_connection(there_.get(), error_));
  EXPECT_EQ(error_, std::errc::not_connected);
}

TEST_F(HandOverTest, IdentitiesDiffer) {
  EXPECT_NE(socket_identity(here_.get()), socket_identity(there_.get()));
  EXPECT_THROW((void)socket_identity(-1), std::system_error);
}

}  // namespace
}  // namespace viaduct::daemon::channel
