#include "protocol/ip_address.hpp"

#include <gtest/gtest.h>

namespace viaduct::protocol {
namespace {

using namespace std::string_view_literals;

TEST(IpAddress, HasOneText) {
  struct Row {
    std::string_view text;
    std::string_view formatted;
  };
  for (const Row& row : {Row{"192.0.2.1", "192.0.2.1"}, Row{"::ffff:192.0.2.1", "192.0.2.1"},
                         Row{"::FFFF:c000:201", "192.0.2.1"},
                         Row{"2001:DB8:0::0001", "2001:db8::1"}, Row{"::", "::"},
                         Row{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
                             "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}}) {
    const auto address = parse_ip(row.text);
    ASSERT_TRUE(address) << row.text;
    EXPECT_EQ(format_ip(*address), row.formatted);
  }
}

TEST(IpAddress, MappedAddressesAreIpv4) {
  EXPECT_TRUE(is_ipv4(*parse_ip("10.0.0.1")));
  EXPECT_TRUE(is_ipv4(*parse_ip("::ffff:10.0.0.1")));
  EXPECT_FALSE(is_ipv4(*parse_ip("::10.0.0.1")));
  EXPECT_EQ(parse_ip("10.0.0.1"), parse_ip("::ffff:10.0.0.1"));
}

TEST(IpAddress, EverythingElseIsNone) {
  for (const std::string_view text :
       {""sv, "x"sv, "1.2.3"sv, "1.2.3.256"sv, "01.2.3.4"sv, "1.2.3.4 "sv, "1.2.3.4:80"sv,
        "[::1]"sv, "::1%lo"sv, "1.2.3.4\0"sv, "::1\0x"sv,
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"sv}) {
    EXPECT_EQ(parse_ip(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace viaduct::protocol
