#include "protocol/uwsgi/codec.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/trace.hpp"
#include "tests/support/uwsgi_bytes.hpp"

namespace viaduct::protocol::uwsgi {
namespace {

using test::error;
using test::refused;
using test::uwsgi_block;
using test::uwsgi_packet;
using test::uwsgi_request;

std::string read(const std::string& bytes, const Limits& limits = {}) {
  return test::trace_at_every_split([&] { return std::make_unique<ServerCodec>(limits); }, bytes);
}

std::string request_line(const std::string& length, const std::string& rest = "") {
  return "request 1 role 1 length " + length + " CONTENT_LENGTH=" + length + rest + "\n";
}

TEST(UwsgiServer, LengthsAreLittleEndian) {
  const std::string bytes("\0\x0b\x01\0\x01\0A\x06\x01", 9);
  EXPECT_EQ(read(bytes + std::string(262, 'v')),
            "request 1 role 1 length unknown A=" + test::show(std::string(262, 'v')) +
                "\nbody_end 1\nwrote \n");
}

TEST(UwsgiServer, UnknownLengthMeansNoBody) {
  EXPECT_EQ(read(uwsgi_packet("")), "request 1 role 1 length unknown\nbody_end 1\nwrote \n");
  EXPECT_EQ(read(uwsgi_packet(uwsgi_block({{"CONTENT_LENGTH", ""}}))),
            "request 1 role 1 length unknown CONTENT_LENGTH=\nbody_end 1\nwrote \n");
}

TEST(UwsgiServer, LengthThatIsNoNumberIsRefused) {
  EXPECT_EQ(read(uwsgi_packet(uwsgi_block({{"CONTENT_LENGTH", "5x"}}))),
            refused(Errc::bad_body_length));
  EXPECT_EQ(read(uwsgi_packet(uwsgi_block({{"CONTENT_LENGTH", "5"}, {"CONTENT_LENGTH", "6"}}))),
            refused(Errc::bad_body_length));
}

TEST(UwsgiServer, OnlyRequestsAreServed) {
  const std::string block = uwsgi_block({{"A", "1"}});
  for (const unsigned modifier1 : {1, 5, 17, 22, 72, 100, 255}) {
    EXPECT_EQ(read(uwsgi_packet(block, modifier1)), error(Errc::unknown_modifier)) << modifier1;
  }
  EXPECT_EQ(read("GET / HTTP/1.1\r\n\r\n"), error(Errc::unknown_modifier));
  EXPECT_EQ(read(uwsgi_packet(block, 0, 9)),
            "request 1 role 1 length unknown A=1\nbody_end 1\nwrote \n");
}

TEST(UwsgiServer, LengthsThatDoNotFillTheBlockBreakTheConnection) {
  const std::string good = uwsgi_block({{"A", "1"}});
  for (const std::string& bad : {
           std::string("\1", 1),             // half a length
           std::string("\2\0A", 3),          // name runs past the block
           std::string("\1\0A", 3),          // no value length
           std::string("\1\0A\1", 4),        // half a value length
           std::string("\1\0A\1\0", 5),      // value runs past the block
           std::string("\1\0A\xff\xff", 5),  // the greatest length there is
       }) {
    EXPECT_EQ(read(uwsgi_packet(bad) + "more bytes"), error(Errc::bad_header_block));
    EXPECT_EQ(read(uwsgi_packet(good + bad) + "more bytes"), error(Errc::bad_header_block));
  }
}

TEST(UwsgiServer, EmptyNamesAndNamesWithEqualsAreRefused) {
  EXPECT_EQ(read(uwsgi_packet(uwsgi_block({{"", "v"}}))), refused(Errc::bad_param_name));
  EXPECT_EQ(read(uwsgi_packet(uwsgi_block({{"A=B", "v"}}))), refused(Errc::bad_param_name));
  EXPECT_EQ(read(uwsgi_packet(uwsgi_block({{"A", std::string("v\0w", 3)}}))),
            refused(Errc::bad_param_value));
}

TEST(UwsgiServer, LimitsRefuseAndSkipTheRest) {
  const Limits limits{.params = 40, .name = 14, .value = 24, .count = 3};
  // CONTENT_LENGTH=0 takes 15 bytes of 40 and one of three variables.
  const std::string value(24, 'v');
  EXPECT_EQ(read(uwsgi_request({{"A", value}}), limits),
            request_line("0", " A=" + value) + "body_end 1\nwrote \n");
  EXPECT_EQ(read(uwsgi_request({{"AB", value}}, "body"), limits), refused(Errc::params_too_large));
  EXPECT_EQ(read(uwsgi_request({{std::string(14, 'N'), ""}}), limits),
            request_line("0", " NNNNNNNNNNNNNN=") + "body_end 1\nwrote \n");
  EXPECT_EQ(read(uwsgi_request({{std::string(15, 'N'), ""}}), limits),
            refused(Errc::param_name_too_long));
  EXPECT_EQ(read(uwsgi_request({{"A", value + "v"}}), limits), refused(Errc::param_value_too_long));
  EXPECT_EQ(read(uwsgi_request({{"A", ""}, {"B", ""}}), limits),
            request_line("0", " A= B=") + "body_end 1\nwrote \n");
  EXPECT_EQ(read(uwsgi_request({{"A", ""}, {"B", ""}, {"C", ""}}), limits),
            refused(Errc::too_many_params));
}

// CVE-2020-11984: senders whose arithmetic on the 16-bit size slips.
TEST(UwsgiServer, GreatestBlock) {
  const std::size_t value = 65535 - 4 - 1;
  const std::string largest(value, 'v');
  EXPECT_EQ(read(uwsgi_packet(uwsgi_block({{"A", largest}}))),
            "request 1 role 1 length unknown A=" + test::show(largest) + "\nbody_end 1\nwrote \n");
  // One byte more, and the size has become 0: a request without variables, then bytes to ignore.
  EXPECT_EQ(read(uwsgi_packet(uwsgi_block({{"A", largest + "v"}}))),
            "request 1 role 1 length unknown\nbody_end 1\nwrote \n");
}

}  // namespace
}  // namespace viaduct::protocol::uwsgi
