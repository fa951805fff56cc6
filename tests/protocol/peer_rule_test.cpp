#include "protocol/peer_rule.hpp"

#include <arpa/inet.h>

#include <gtest/gtest.h>

namespace viaduct::protocol {
namespace {

IpBytes ip(const std::string& text) {
  IpBytes bytes{};
  const std::string mapped = text.find(':') == std::string::npos ? "::ffff:" + text : text;
  EXPECT_EQ(inet_pton(AF_INET6, mapped.c_str(), bytes.data()), 1) << text;
  return bytes;
}

bool allows(std::string_view rule, const std::string& peer) {
  const auto parsed = parse_peer_rule(rule);
  EXPECT_TRUE(std::holds_alternative<PeerRule>(parsed)) << rule;
  return matches_address(std::get<PeerRule>(parsed), ip(peer));
}

TEST(PeerRules, NetworksMatchUpToTheirPrefix) {
  EXPECT_TRUE(allows("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(allows("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(allows("10.0.0.5", "10.0.0.5"));
  EXPECT_FALSE(allows("10.0.0.5", "10.0.0.4"));
  EXPECT_TRUE(allows("192.168.128.0/17", "192.168.128.1"));
  EXPECT_FALSE(allows("192.168.128.0/17", "192.168.127.255"));
  EXPECT_TRUE(allows("fd00::/8", "fdff::1"));
  EXPECT_FALSE(allows("fd00::/8", "fe00::1"));
  EXPECT_TRUE(allows("::/0", "2001:db8::1"));
}

TEST(PeerRules, MappedAddressesAreTheirIpv4Address) {
  EXPECT_TRUE(allows("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_FALSE(allows("10.0.0.0/8", "::ffff:11.1.2.3"));
  EXPECT_TRUE(allows("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(allows("0.0.0.0/0", "2001:db8::1"));
  EXPECT_FALSE(allows("10.0.0.0/8", "a00::1"));
}

TEST(PeerRules, UsersAndGroupsNeverMatchAddresses) {
  const auto rule = std::get<PeerRule>(parse_peer_rule("uid:0"));
  EXPECT_FALSE(matches_address(rule, IpBytes{}));
  EXPECT_EQ(principal(rule), "0");
  EXPECT_EQ(std::get<PeerRule>(parse_peer_rule("gid:33")).id, 33u);
  EXPECT_EQ(principal(std::get<PeerRule>(parse_peer_rule("gid:www-data"))), "www-data");
}

TEST(PeerRules, EverythingElseIsExplained) {
  for (const char* text : {"", "front", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
                           "10.0.0.0/8x", "10.0.0.1/8", "::/129", "fd00::1/8",
                           "uid:", "gid:", "uid:4294967296", "user:x", "1.2.3.4/8/9"})
    EXPECT_TRUE(std::holds_alternative<std::string>(parse_peer_rule(text))) << text;
}

}  // namespace
}  // namespace viaduct::protocol
