#include "daemon/bridge/front/forwarded.hpp"

#include <variant>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

const std::vector<config::PeerRule>& trusted() {
  static const std::vector<config::PeerRule> rules = {
      std::get<config::PeerRule>(config::parse_peer_rule("10.0.0.0/8")),
      std::get<config::PeerRule>(config::parse_peer_rule("fd00::/8"))};
  return rules;
}

ForwardedFor read(std::initializer_list<protocol::Pairs::Item> fields) {
  protocol::Pairs params;
  for (const auto& [name, value] : fields) params.set(name, value);
  return read_forwarded(trusted(), params);
}

TEST(Forwarded, AddressOfXForwardedFor) {
  struct Row {
    const char* list;
    const char* address;
  };
  for (const Row& row :
       {Row{"192.0.2.1", "192.0.2.1"}, Row{"192.0.2.1, 10.0.0.2", "192.0.2.1"},
        Row{"6.6.6.6, 192.0.2.1,10.0.0.2 , fd12::1", "192.0.2.1"},
        Row{"10.0.0.1, 10.0.0.2", "10.0.0.1"}, Row{"2001:db8::1", "2001:db8::1"},
        Row{"[2001:db8::1]:4711", "2001:db8::1"}, Row{"192.0.2.1:4711", "192.0.2.1"}, Row{"", ""},
        Row{"unknown", ""}, Row{"192.0.2.1, unknown", ""},
        Row{"192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"}, Row{"192.0.2.1, ", ""},
        Row{"192.0.2.256", ""}, Row{"<script>", ""}, Row{"[2001:db8::1", ""}}) {
    EXPECT_EQ(read({{"HTTP_X_FORWARDED_FOR", row.list}}).address, row.address) << row.list;
  }
}

TEST(Forwarded, AddressOfForwarded) {
  struct Row {
    const char* field;
    const char* address;
  };
  for (const Row& row : {Row{"for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"},
                         Row{"For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"},
                         Row{"for=192.0.2.43, for=10.1.1.1", "192.0.2.43"},
                         Row{"for=6.6.6.6, for=192.0.2.43", "192.0.2.43"},
                         Row{"for=\"1.1.1.1, for=2.2.2.2\", for=192.0.2.43", "192.0.2.43"},
                         Row{"for=_hidden, for=10.0.0.1", "10.0.0.1"}, Row{"for=_gazonk", ""},
                         Row{"proto=https", ""}, Row{"for=\"192.0.2.1", ""},
                         Row{"for=\"192.0.2\\.1\"", "192.0.2.1"}}) {
    EXPECT_EQ(read({{"HTTP_FORWARDED", row.field}, {"HTTP_X_FORWARDED_FOR", "9.9.9.9"}}).address,
              row.address)
        << row.field;
  }
}

TEST(Forwarded, AnAddressWithNulIsNone) {
  using namespace std::string_view_literals;
  for (const std::string_view list : {"192.0.2.1\0"sv, "192.0.2.1\0<script>"sv, "[::1\0]"sv}) {
    EXPECT_EQ(read({{"HTTP_X_FORWARDED_FOR", list}}).address, "") << list;
  }
}

TEST(Forwarded, OtherValuesAreTheLastOnes) {
  const ForwardedFor x = read({{"HTTP_X_FORWARDED_PROTO", "gopher, HTTPS"},
                               {"HTTP_X_FORWARDED_HOST", "evil.test, www.example.org:8443"},
                               {"HTTP_X_FORWARDED_PORT", "1, 8443"}});
  EXPECT_EQ(x.scheme, "https");
  EXPECT_EQ(x.host, "www.example.org:8443");
  EXPECT_EQ(x.port, "8443");
  const ForwardedFor f =
      read({{"HTTP_FORWARDED", "host=evil.test, for=10.0.0.1;host=\"a.test:81\";proto=http"}});
  EXPECT_EQ(f.scheme, "http");
  EXPECT_EQ(f.host, "a.test:81");
}

TEST(Forwarded, WhatIsNoSchemeHostOrPortIsIgnored) {
  for (const char* const host : {"a b", "a\"b", "a/b", "<a>", "a@b", ""}) {
    EXPECT_EQ(read({{"HTTP_X_FORWARDED_HOST", host}}).host, "") << host;
  }
  for (const char* const port : {"", "x", "-1", "123456", "80 80"}) {
    EXPECT_EQ(read({{"HTTP_X_FORWARDED_PORT", port}}).port, "") << port;
  }
  EXPECT_EQ(read({{"HTTP_X_FORWARDED_PROTO", "javascript"}}).scheme, "");
}

protocol::Pairs applied(const ForwardedFor& forwarded) {
  protocol::Pairs params;
  params.set("REMOTE_ADDR", "10.0.0.1");
  params.set("REMOTE_PORT", "1234");
  params.set("SERVER_NAME", "inner");
  params.set("SERVER_PORT", "8080");
  params.set("HTTP_HOST", "inner:8080");
  params.set("REQUEST_SCHEME", "http");
  apply_forwarded(forwarded, params);
  return params;
}

TEST(Forwarded, BecomesVariables) {
  const auto params = applied({"192.0.2.1", "https", "www.example.org", ""});
  EXPECT_EQ(params.get("REMOTE_ADDR"), "192.0.2.1");
  EXPECT_EQ(params.get("REMOTE_PORT"), std::nullopt);
  EXPECT_EQ(params.get("REQUEST_SCHEME"), "https");
  EXPECT_EQ(params.get("HTTPS"), "on");
  EXPECT_EQ(params.get("HTTP_HOST"), "www.example.org");
  EXPECT_EQ(params.get("SERVER_NAME"), "www.example.org");
  EXPECT_EQ(params.get("SERVER_PORT"), "443");
}

TEST(Forwarded, ThePortIsWhatWasSaidOrThatOfTheHost) {
  EXPECT_EQ(applied({"", "", "a.test:81", ""}).get("SERVER_PORT"), "81");
  EXPECT_EQ(applied({"", "https", "a.test:81", "82"}).get("SERVER_PORT"), "82");
  EXPECT_EQ(applied({"", "http", "[::1]", ""}).get("SERVER_PORT"), "80");
  EXPECT_EQ(applied({"", "http", "[::1]:83", ""}).get("SERVER_NAME"), "[::1]");
}

TEST(Forwarded, NoPortIsBeyondTheLastOne) {
  EXPECT_EQ(read({{"HTTP_X_FORWARDED_PORT", "65535"}}).port, "65535");
  for (const char* port : {"65536", "99999", "000080", "4294967297"}) {
    EXPECT_EQ(read({{"HTTP_X_FORWARDED_PORT", port}}).port, "") << port;
  }
  EXPECT_EQ(applied({"", "", "a.test:65536", ""}).get("SERVER_PORT"), "8080");
}

TEST(Forwarded, NothingSaidChangesNothing) {
  const auto params = applied({});
  EXPECT_EQ(params.get("REMOTE_ADDR"), "10.0.0.1");
  EXPECT_EQ(params.get("REMOTE_PORT"), "1234");
  EXPECT_EQ(params.get("SERVER_NAME"), "inner");
  EXPECT_EQ(params.get("SERVER_PORT"), "8080");
  EXPECT_EQ(params.get("HTTPS"), std::nullopt);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
