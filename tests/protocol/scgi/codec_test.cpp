#include "protocol/scgi/codec.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/scgi_bytes.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::protocol::scgi {
namespace {

using test::error;
using test::netstring;
using test::refused;
using test::scgi_block;
using test::scgi_request;

std::string read(const std::string& bytes, const Limits& limits = {}) {
  return test::trace_at_every_split([&] { return std::make_unique<ServerCodec>(limits); }, bytes);
}

std::string request_line(const std::string& length, const std::string& rest = "") {
  return "request 1 role 1 length " + length + " CONTENT_LENGTH=" + length + " SCGI=1" + rest +
         "\n";
}

// The example of the specification, byte for byte.
TEST(ScgiServer, RequestOfTheSpecification) {
  std::string block = "CONTENT_LENGTH~27~SCGI~1~REQUEST_METHOD~POST~REQUEST_URI~/deepthought~";
  for (char& c : block) c = c == '~' ? '\0' : c;
  EXPECT_EQ(read("70:" + block + ",What is the answer to life?"),
            request_line("27", " REQUEST_METHOD=POST REQUEST_URI=/deepthought") +
                "body 1 What is the answer to life?\nbody_end 1\nwrote \n");
}

TEST(ScgiServer, ScgiMayStandAnywhereBehindContentLength) {
  EXPECT_EQ(read(netstring(scgi_block({{"CONTENT_LENGTH", "0"}, {"A", "1"}, {"SCGI", "1"}}))),
            "request 1 role 1 length 0 CONTENT_LENGTH=0 A=1 SCGI=1\nbody_end 1\nwrote \n");
}

TEST(ScgiServer, ContentLengthIsFirstAndOnce) {
  for (const test::NameValues& variables : {
           test::NameValues{{"SCGI", "1"}, {"CONTENT_LENGTH", "0"}},
           test::NameValues{{"CONTENT_LENGTH", ""}, {"SCGI", "1"}},
           test::NameValues{{"CONTENT_LENGTH", "-1"}, {"SCGI", "1"}},
           test::NameValues{{"CONTENT_LENGTH", "1x"}, {"SCGI", "1"}},
           test::NameValues{{"CONTENT_LENGTH", "18446744073709551616"}, {"SCGI", "1"}},
           test::NameValues{{"CONTENT_LENGTH", "0"}, {"SCGI", "1"}, {"CONTENT_LENGTH", "0"}},
           test::NameValues{},
       }) {
    EXPECT_EQ(read(netstring(scgi_block(variables))), error(Errc::bad_content_length));
  }
}

TEST(ScgiServer, ScgiIsOneAndOnce) {
  for (const test::NameValues& variables : {
           test::NameValues{{"CONTENT_LENGTH", "0"}},
           test::NameValues{{"CONTENT_LENGTH", "0"}, {"SCGI", "2"}},
           test::NameValues{{"CONTENT_LENGTH", "0"}, {"SCGI", ""}},
           test::NameValues{{"CONTENT_LENGTH", "0"}, {"SCGI", "1"}, {"SCGI", "1"}},
       }) {
    EXPECT_EQ(read(netstring(scgi_block(variables))), error(Errc::not_scgi));
  }
}

TEST(ScgiServer, NetstringThatIsNone) {
  const std::string block = scgi_block({{"CONTENT_LENGTH", "0"}, {"SCGI", "1"}});
  const std::string size = std::to_string(block.size());
  for (const std::string& bytes :
       {":" + block + ",", "0" + size + ":" + block + ",", size + ";" + block, std::string("-1:"),
        std::string(" 24:"), std::string("00:,"), std::string("12345678901:"),
        std::string("GET / HTTP/1.1\r\n\r\n"), size + ":" + block + ";"}) {
    EXPECT_EQ(read(bytes), error(Errc::bad_netstring)) << bytes;
  }
}

TEST(ScgiServer, BlockThatIsCutShort) {
  const std::string block = scgi_block({{"CONTENT_LENGTH", "0"}, {"SCGI", "1"}});
  for (const std::string& cut :
       {block + "NAME", block + std::string("NAME\0", 5), block + std::string("NAME\0value", 10)}) {
    EXPECT_EQ(read(netstring(cut)), error(Errc::bad_header_block));
  }
  EXPECT_EQ(read(netstring(block + std::string("\0value\0", 7))), error(Errc::bad_header_block));
}

TEST(ScgiServer, LimitsRefuseAndSkipTheRest) {
  const Limits limits{.params = 60, .name = 14, .value = 30, .count = 4};
  // CONTENT_LENGTH=0 and SCGI=1 take 20 bytes of 60 and two of four variables.
  const std::string twenty(20, 'v');
  EXPECT_EQ(
      read(scgi_request({{"A", twenty}, {"B", std::string(18, 'v')}}), limits),
      request_line("0", " A=" + twenty + " B=" + std::string(18, 'v')) + "body_end 1\nwrote \n");
  EXPECT_EQ(read(scgi_request({{"A", twenty}, {"B", std::string(19, 'v')}}), limits),
            refused(Errc::params_too_large));
  EXPECT_EQ(read(scgi_request({{std::string(15, 'N'), ""}}, "body"), limits),
            refused(Errc::param_name_too_long));
  EXPECT_EQ(read(scgi_request({{"A", std::string(31, 'v')}}), limits),
            refused(Errc::param_value_too_long));
  EXPECT_EQ(read(scgi_request({{"A", ""}, {"B", ""}, {"C", ""}}), limits),
            refused(Errc::too_many_params));
  EXPECT_EQ(read(scgi_request({{"A=B", ""}}), limits), refused(Errc::bad_param_name));
}

TEST(ScgiServer, AnnouncedBlockBeyondTheLimitIsRefusedAtOnce) {
  const Limits limits{.params = 1000, .count = 10};
  EXPECT_EQ(read("1020:", limits), "wrote \n");
  EXPECT_EQ(read("1021:", limits), refused(Errc::params_too_large));
  EXPECT_EQ(read("9999999999:" + std::string(100, 'x'), limits), refused(Errc::params_too_large));
}

}  // namespace
}  // namespace viaduct::protocol::scgi
