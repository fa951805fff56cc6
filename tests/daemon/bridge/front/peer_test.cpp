#include "daemon/bridge/front/peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <variant>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

std::vector<protocol::PeerRule> rules(std::initializer_list<const char*> texts) {
  std::vector<protocol::PeerRule> parsed;
  for (const char* const text : texts) {
    parsed.push_back(std::get<protocol::PeerRule>(protocol::parse_peer_rule(text)));
  }
  return parsed;
}

Peer at(const char* ipv6) {
  Peer peer;
  peer.local = false;
  EXPECT_EQ(::inet_pton(AF_INET6, ipv6, peer.address.data()), 1) << ipv6;
  return peer;
}

Peer local(uid_t uid, gid_t gid) {
  Peer peer;
  peer.uid = uid;
  peer.gid = gid;
  return peer;
}

TEST(PeerRules, NetworksMatchAddresses) {
  struct Row {
    const char* rule;
    const char* address;
    bool matches;
  };
  for (const Row& row :
       {Row{"10.0.0.0/8", "::ffff:10.0.0.0", true},
        Row{"10.0.0.0/8", "::ffff:10.255.255.255", true},
        Row{"10.0.0.0/8", "::ffff:11.0.0.0", false},
        Row{"10.0.0.0/8", "::ffff:9.255.255.255", false}, Row{"10.0.0.5", "::ffff:10.0.0.5", true},
        Row{"10.0.0.5", "::ffff:10.0.0.4", false}, Row{"0.0.0.0/0", "::ffff:1.2.3.4", true},
        Row{"0.0.0.0/0", "::1", false}, Row{"fd00::/8", "fd12::1", true},
        Row{"fd00::/8", "fe80::1", false}, Row{"::1", "::1", true},
        Row{"::/0", "::ffff:1.2.3.4", true}}) {
    EXPECT_EQ(matches(rules({row.rule}), at(row.address)), row.matches)
        << row.rule << " " << row.address;
  }
}

TEST(PeerRules, UidAndGidOnlyMatchUnixPeers) {
  EXPECT_TRUE(matches(rules({"uid:33"}), local(33, 1)));
  EXPECT_FALSE(matches(rules({"uid:33"}), local(34, 33)));
  EXPECT_TRUE(matches(rules({"gid:33"}), local(1, 33)));
  EXPECT_FALSE(matches(rules({"gid:33"}), local(33, 1)));
  EXPECT_TRUE(matches(rules({"uid:1", "gid:2", "uid:33"}), local(33, 7)));
  EXPECT_FALSE(matches(rules({"::/0", "0.0.0.0/0"}), local(0, 0)));
  EXPECT_FALSE(matches(rules({"uid:0", "gid:0"}), at("::1")));
}

TEST(PeerRules, EmptyListNamesNobody) {
  EXPECT_FALSE(matches({}, local(0, 0)));
  EXPECT_FALSE(matches({}, at("::1")));
}

TEST(Identify, UnixPeerHasCredentials) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const Peer peer = identify(ends[0]);
  EXPECT_TRUE(peer.local);
  EXPECT_EQ(peer.uid, ::geteuid());
  EXPECT_EQ(peer.gid, ::getegid());
  EXPECT_EQ(peer.name,
            "pid " + std::to_string(::getpid()) + " (uid " + std::to_string(::geteuid()) + ")");
  for (const int end : ends) ::close(end);
}

// Connects to a listening loopback socket; returns the accepted end.
int accepted_on(int family) {
  const int listener = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_storage address{};
  address.ss_family = static_cast<sa_family_t>(family);
  socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (family == AF_INET) {
    reinterpret_cast<sockaddr_in&>(address).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else {
    reinterpret_cast<sockaddr_in6&>(address).sin6_addr = in6addr_loopback;
  }
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  int accepted = -1;
  const int client = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener, generic, size) == 0 && ::listen(listener, 1) == 0 &&
      ::getsockname(listener, generic, &size) == 0 && ::connect(client, generic, size) == 0) {
    accepted = ::accept(listener, nullptr, nullptr);
  }
  ::close(client);
  ::close(listener);
  return accepted;
}

TEST(Identify, TcpPeerHasItsAddress) {
  const int socket = accepted_on(AF_INET);
  ASSERT_GE(socket, 0);
  const Peer peer = identify(socket);
  ::close(socket);
  EXPECT_FALSE(peer.local);
  EXPECT_TRUE(peer.name.starts_with("127.0.0.1:")) << peer.name;
  EXPECT_TRUE(matches(rules({"127.0.0.0/8"}), peer));
}

TEST(Identify, TcpPeerOverIpv6HasItsAddress) {
  const int socket = accepted_on(AF_INET6);
  if (socket < 0) GTEST_SKIP() << "no IPv6 here";
  const Peer peer = identify(socket);
  ::close(socket);
  EXPECT_TRUE(peer.name.starts_with("[::1]:")) << peer.name;
  EXPECT_TRUE(matches(rules({"::1"}), peer));
}

TEST(Identify, UnconnectedSocketIsNobody) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const Peer peer = identify(socket);
  ::close(socket);
  EXPECT_EQ(peer.name, "unknown");
  EXPECT_FALSE(matches(rules({"uid:0", "gid:0", "::/0", "0.0.0.0/0"}), peer));
}

}  // namespace
}  // namespace viaduct::daemon::bridge
