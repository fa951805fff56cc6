#include "protocol/variables.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/fastcgi_records.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::protocol {
namespace {

std::string collect(const test::NameValues& variables, const Limits& limits = {}) {
  Variables collected(limits);
  RequestHead head;
  for (const auto& [name, value] : variables) {
    const Errc error = collected.admit(name.size(), value.size());
    if (error != Errc::ok) return describe(error);
    collected.add(name, value);
  }
  const Errc error = collected.finish(head);
  if (error != Errc::ok) return describe(error);
  std::string text = head.content_length ? std::to_string(*head.content_length) : "unknown";
  for (const auto [name, value] : head.params) {
    text.append(" ").append(name).append("=").append(value);
  }
  return text;
}

TEST(Variables, OrderIsKept) {
  EXPECT_EQ(collect({{"B", "1"}, {"A", ""}, {"C", "3"}}), "unknown B=1 A= C=3");
  EXPECT_EQ(collect({}), "unknown");
}

TEST(Variables, RepetitionsAreMergedAsTheCgiSpecificationSays) {
  EXPECT_EQ(collect({{"HTTP_COOKIE", "a=1"},
                     {"HTTP_X", "1"},
                     {"HTTP_COOKIE", "b=2"},
                     {"Q", "old"},
                     {"HTTP_X", "2"},
                     {"Q", "new"},
                     {"HTTP_X", ""}}),
            "unknown HTTP_COOKIE=a=1; b=2 HTTP_X=1, 2,  Q=new");
}

TEST(Variables, HttpProxyIsDropped) {
  EXPECT_EQ(collect({{"HTTP_PROXY", "evil"}, {"HTTP_PROXY_X", "1"}, {"http_proxy", "2"}}),
            "unknown HTTP_PROXY_X=1 http_proxy=2");
}

// nginx buffers a chunked upload, sends its length, and passes the field on all the same.
TEST(Variables, TransferEncodingIsDropped) {
  EXPECT_EQ(collect({{"CONTENT_LENGTH", "10"}, {"HTTP_TRANSFER_ENCODING", "chunked"}}),
            "10 CONTENT_LENGTH=10");
}

TEST(Variables, TransferEncodingIsRememberedForOneRequest) {
  const Limits limits;
  Variables variables(limits);
  for (const bool coded : {true, false, true}) {
    if (coded) variables.add("HTTP_TRANSFER_ENCODING", "chunked");
    variables.add("HTTP_PROXY", "evil");
    variables.add("HTTP_TE", "trailers");
    RequestHead head;
    head.transfer_coded = !coded;
    EXPECT_EQ(variables.finish(head), Errc::ok);
    EXPECT_EQ(head.transfer_coded, coded);
    variables.reset();
  }
}

TEST(Variables, ContentLengthIsReadOrUnknown) {
  EXPECT_EQ(collect({{"CONTENT_LENGTH", ""}}), "unknown CONTENT_LENGTH=");
  EXPECT_EQ(collect({{"CONTENT_LENGTH", "-1"}}), "unknown");
  EXPECT_EQ(collect({{"A", "1"}, {"CONTENT_LENGTH", "-1"}, {"B", "2"}}), "unknown A=1 B=2");
  EXPECT_EQ(collect({{"CONTENT_LENGTH", "-1"}, {"CONTENT_LENGTH", "-1"}}), "unknown");
  EXPECT_EQ(collect({{"CONTENT_LENGTH", "0"}}), "0 CONTENT_LENGTH=0");
  EXPECT_EQ(collect({{"CONTENT_LENGTH", "18446744073709551615"}}),
            "18446744073709551615 CONTENT_LENGTH=18446744073709551615");
  for (const std::string bad : {"18446744073709551616", "-2", "+1", "1 ", " 1", "1,1", "0x10"}) {
    EXPECT_EQ(collect({{"CONTENT_LENGTH", bad}}), describe(Errc::bad_body_length)) << bad;
  }
  EXPECT_EQ(collect({{"CONTENT_LENGTH", "5"}, {"CONTENT_LENGTH", "5"}}), "5 CONTENT_LENGTH=5");
  EXPECT_EQ(collect({{"CONTENT_LENGTH", "5"}, {"CONTENT_LENGTH", "6"}}),
            describe(Errc::bad_body_length));
}

TEST(Variables, NamesAndValuesAreChecked) {
  EXPECT_EQ(collect({{"", "x"}}), describe(Errc::bad_param_name));
  EXPECT_EQ(collect({{"A=B", "x"}}), describe(Errc::bad_param_name));
  EXPECT_EQ(collect({{std::string("A\0B", 3), "x"}}), describe(Errc::bad_param_name));
  EXPECT_EQ(collect({{"A", std::string("x\0", 2)}}), describe(Errc::bad_param_value));
  // Paths are passed on as they come: empty, encoded line feeds, bytes above 127, dots.
  EXPECT_EQ(collect({{"PATH_INFO", ""}, {"SCRIPT_NAME", "/x%0a\xff/.."}}),
            "unknown PATH_INFO= SCRIPT_NAME=/x%0a\xff/..");
}

TEST(Variables, LimitsHoldAtTheLastByte) {
  const Limits limits{.params = 20, .name = 5, .value = 8, .count = 3};
  const auto check = [&](const test::NameValues& variables) {
    const std::string text = collect(variables, limits);
    return text.starts_with("unknown") ? "ok" : text;
  };
  EXPECT_EQ(check({{"NAM4", ""}}), "ok");
  EXPECT_EQ(check({{"NAME5", ""}}), "ok");
  EXPECT_EQ(check({{"NAME_6", ""}}), describe(Errc::param_name_too_long));
  EXPECT_EQ(check({{"A", "1234567"}}), "ok");
  EXPECT_EQ(check({{"A", "12345678"}}), "ok");
  EXPECT_EQ(check({{"A", "123456789"}}), describe(Errc::param_value_too_long));
  EXPECT_EQ(check({{"A", "1"}, {"B", "2"}}), "ok");
  EXPECT_EQ(check({{"A", "1"}, {"B", "2"}, {"C", "3"}}), "ok");
  EXPECT_EQ(check({{"A", ""}, {"B", ""}, {"C", ""}, {"D", ""}}), describe(Errc::too_many_params));
  EXPECT_EQ(check({{"A", "12345678"}, {"B", "12345678"}, {"C", ""}}), "ok");
  EXPECT_EQ(check({{"A", "12345678"}, {"B", "12345678"}, {"C", "1"}}), "ok");
  EXPECT_EQ(check({{"A", "12345678"}, {"B", "12345678"}, {"C", "12"}}),
            describe(Errc::params_too_large));
}

TEST(Variables, GreatestLengthsDoNotWrapTheSum) {
  const Limits limits{.params = 1000, .name = UINT32_MAX, .value = UINT32_MAX};
  Variables variables(limits);
  for (const std::uint64_t size : {0x7fffffffull, 0x80000000ull, 0xffffffffull, 0xffffffff0ull}) {
    EXPECT_NE(variables.admit(1, size), Errc::ok);
    EXPECT_NE(variables.admit(size, 1), Errc::ok);
    EXPECT_NE(variables.admit(size, size), Errc::ok);
  }
  EXPECT_EQ(variables.admit(500, 500), Errc::ok);
  EXPECT_EQ(variables.admit(1, 0), Errc::params_too_large);
}

TEST(Variables, ManyRepetitionsOfOneNameMergeOnce) {
  test::NameValues variables;
  std::string merged;
  for (int i = 0; i < 1024; ++i) {
    variables.emplace_back("HTTP_X", std::string(50, 'v'));
    merged += (i == 0 ? "" : ", ") + std::string(50, 'v');
  }
  EXPECT_EQ(collect(variables), "unknown HTTP_X=" + merged);
}

TEST(Variables, ManyDistinctNamesKeepTheirOrder) {
  test::NameValues variables;
  std::string expected = "unknown";
  for (int i = 0; i < 1024; ++i) {
    variables.emplace_back("N" + std::to_string(i), "v");
    expected += " N" + std::to_string(i) + "=v";
  }
  EXPECT_EQ(collect(variables), expected);
  variables[1023].first = "N0";
  variables[1023].second = "last";
  EXPECT_TRUE(collect(variables).starts_with("unknown N0=last N1=v"));
}

TEST(Variables, CanBeUsedAgainAfterReset) {
  const Limits limits{.count = 2};
  Variables variables(limits);
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(variables.admit(1, 1), Errc::ok);
    variables.add("A", "1");
    ASSERT_EQ(variables.admit(1, 1), Errc::ok);
    variables.add("A", std::to_string(round));
    ASSERT_EQ(variables.admit(1, 1), Errc::too_many_params);
    RequestHead head;
    ASSERT_EQ(variables.finish(head), Errc::ok);
    EXPECT_EQ(head.params.size(), 1u);
    EXPECT_EQ(head.params.get("A"), std::to_string(round));
    variables.reset();
  }
}

}  // namespace
}  // namespace viaduct::protocol
