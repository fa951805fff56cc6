#include "daemon/config/address.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::config {
namespace {

using Kind = Address::Kind;

std::string problem(std::string_view text) {
  const auto result = parse_address(text);
  const auto* message = std::get_if<std::string>(&result);
  return message ? *message : "";
}

TEST(AddressText, EveryKindSurvivesFormatting) {
  struct Case {
    std::string text;
    Address address;
  };
  for (const Case& c :
       std::vector<Case>{{"unix:/run/web.sock", {Kind::unix_path, "/run/web.sock", 0}},
                         {"unix:web.sock", {Kind::unix_path, "web.sock", 0}},
                         {"unix:/a:b", {Kind::unix_path, "/a:b", 0}},
                         {"unix:@web", {Kind::unix_abstract, "web", 0}},
                         {"tcp:127.0.0.1:1", {Kind::tcp, "127.0.0.1", 1}},
                         {"tcp:app.example.org:65535", {Kind::tcp, "app.example.org", 65535}},
                         {"tcp:[::1]:9000", {Kind::tcp, "::1", 9000}},
                         {"systemd:web", {Kind::systemd, "web", 0}}}) {
    const auto result = parse_address(c.text);
    ASSERT_TRUE(std::holds_alternative<Address>(result)) << c.text;
    EXPECT_EQ(std::get<Address>(result), c.address);
    EXPECT_EQ(format(c.address), c.text);
  }
}

TEST(AddressText, EverythingElseIsExplained) {
  for (const char* text : {"",
                           "/run/web.sock",
                           "unix",
                           "unix:",
                           "unix:@",
                           "tcp:",
                           "tcp:host",
                           "tcp:host:",
                           "tcp:host:0",
                           "tcp:host:65536",
                           "tcp:host:99999999999",
                           "tcp:host:+1",
                           "tcp:host:1x",
                           "tcp::80",
                           "tcp:::1:80",
                           "tcp:[::1]80",
                           "tcp:[]:80",
                           "tcp:[nonsense]:80",
                           "tcp:a b:80",
                           "tcp:a/b:80",
                           "systemd:",
                           "systemd:a:b",
                           "http://x",
                           "unix:/a\nb",
                           "UNIX:/a"})
    EXPECT_NE(problem(text), "") << text;
}

TEST(AddressText, LengthsAreThoseOfTheKernel) {
  EXPECT_EQ(problem("unix:" + std::string(107, 'p')), "");
  EXPECT_NE(problem("unix:" + std::string(108, 'p')), "");
  EXPECT_EQ(problem("unix:@" + std::string(106, 'p')), "");
  EXPECT_NE(problem("unix:@" + std::string(107, 'p')), "");
  EXPECT_EQ(problem("tcp:" + std::string(253, 'h') + ":1"), "");
  EXPECT_NE(problem("tcp:" + std::string(254, 'h') + ":1"), "");
  EXPECT_EQ(problem("systemd:" + std::string(255, 'n')), "");
  EXPECT_NE(problem("systemd:" + std::string(256, 'n')), "");
}

TEST(Loopback, OnlyWhatNoOtherMachineReaches) {
  const auto loopback = [](const char* host) { return is_loopback({Kind::tcp, host, 1}); };
  for (const char* host : {"127.0.0.1", "127.255.0.9", "::1", "localhost", "::ffff:127.0.0.1"})
    EXPECT_TRUE(loopback(host)) << host;
  for (const char* host : {"0.0.0.0", "128.0.0.1", "10.0.0.1", "::", "::2", "fe80::1",
                           "::ffff:10.0.0.1", "localhost.example.org", "example.org", "127.1"})
    EXPECT_FALSE(loopback(host)) << host;
  EXPECT_FALSE(is_loopback({Kind::unix_path, "127.0.0.1", 0}));
}

}  // namespace
}  // namespace viaduct::daemon::config
