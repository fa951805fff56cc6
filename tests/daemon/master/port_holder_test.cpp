#include "daemon/master/port_holder.hpp"

#include <unistd.h>

#include <bit>

#include <gtest/gtest.h>

#include "daemon/master/listener_socket.hpp"

namespace viaduct::daemon::master {
namespace {

using Inodes = std::vector<std::uint64_t>;

// As the kernel of a little-endian machine prints it: port 8080 of 127.0.0.1, [::1], 0.0.0.0, [::].
constexpr std::string_view kFour =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "101 1 0000000000000000 100 0 0 10 0\n"
    "   1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 "
    "102 1 0000000000000000 20 4 30 10 -1\n"
    "   2: 0200007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "103 1 0000000000000000 100 0 0 10 0\n"
    "   3: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "104 1 0000000000000000 100 0 0 10 0\n";
constexpr std::string_view kSix =
    "  sl  local_address                         remote_address                        st ...\n"
    "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000     0        0 201 1 0000000000000000 100 0 0 10 0\n"
    "   1: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000     0        0 202 1 0000000000000000 100 0 0 10 0\n";

SocketAddress at(const char* host, std::uint16_t port) {
  return tcp_addresses(host, port).at(0);
}

TEST(PortHolderTest, SocketsInTheWayListenAtThatPortAndAddress) {
  if constexpr (std::endian::native != std::endian::little) GTEST_SKIP() << "tables differ";
  EXPECT_EQ(sockets_in_the_way(kFour, at("127.0.0.1", 8080)), (Inodes{101}));
  EXPECT_EQ(sockets_in_the_way(kFour, at("0.0.0.0", 8080)), (Inodes{101, 103}));
  EXPECT_EQ(sockets_in_the_way(kFour, at("127.0.0.1", 80)), (Inodes{104})) << "of all";
  EXPECT_EQ(sockets_in_the_way(kFour, at("127.0.0.1", 8081)), Inodes{});
  EXPECT_EQ(sockets_in_the_way(kSix, at("::1", 8080)), (Inodes{201}));
  EXPECT_EQ(sockets_in_the_way(kSix, at("127.0.0.1", 8081)), (Inodes{202}));
  EXPECT_EQ(sockets_in_the_way(kSix, at("127.0.0.1", 8080)), Inodes{});
}

TEST(PortHolderTest, LinesOfAnotherFormAreIgnored) {
  const SocketAddress wanted = at("127.0.0.1", 8080);
  for (const char* const table :
       {"", "\n\n", "a b c d e f g h i j", "0: 0100007F:1F90 0 0A 0 0 0 0 0 x",
        "0: 0100007F1F90 0 0A 0 0 0 0 0 1", "0: 0100007G:1F90 0 0A 0 0 0 0 0 1",
        "0: 0100007F:11F90 0 0A 0 0 0 0 0 1", "0: 0100007F:1F90 0 0A 0 0 0 0 0"}) {
    EXPECT_EQ(sockets_in_the_way(table, wanted), Inodes{}) << table;
  }
}

TEST(PortHolderTest, TheProcessIsFoundByItsDescriptors) {
  for (const char* const host : {"127.0.0.1", "0.0.0.0"}) {
    const auto socket = ListenerSocket::open({config::Address::Kind::tcp, host, 0}, {});
    EXPECT_EQ(port_holder(at("127.0.0.1", socket.port())), ::getpid()) << host;
  }
}

}  // namespace
}  // namespace viaduct::daemon::master
