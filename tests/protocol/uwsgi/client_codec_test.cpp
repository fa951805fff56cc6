#include "protocol/uwsgi/client_codec.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "protocol/uwsgi/codec.hpp"
#include "tests/support/trace.hpp"
#include "tests/support/uwsgi_bytes.hpp"

namespace viaduct::protocol::uwsgi {
namespace {

Pairs pairs(const test::NameValues& variables) {
  Pairs params;
  for (const auto& [name, value] : variables) params.add(name, value);
  return params;
}

std::string written(const test::NameValues& variables, std::string_view body = "") {
  ClientCodec codec;
  codec.begin(1, Role::responder, false);
  codec.params(1, pairs(variables));
  codec.input(1, as_bytes(body));
  codec.input_end(1);
  return test::drain(codec.output());
}

TEST(UwsgiClient, VariablesStandBehindTheirLengths) {
  const test::NameValues variables{{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", "5"}, {"A", ""}};
  EXPECT_EQ(written(variables, "hello"),
            test::uwsgi_packet(test::uwsgi_block(variables)) + "hello");
  EXPECT_EQ(written({}), std::string(4, '\0'));
}

TEST(UwsgiClient, LengthsAreLittleEndian) {
  const std::string bytes = written({{"A", std::string(300, 'x')}});
  EXPECT_EQ(bytes.substr(0, 4), std::string("\0\x31\x01\0", 4));
  EXPECT_EQ(bytes.substr(4, 5), std::string("\x01\0A\x2c\x01", 5));
}

TEST(UwsgiClient, BlockSizeCountsLengths) {
  EXPECT_EQ(block_size({}), 0u);
  EXPECT_EQ(block_size(pairs({{"A", ""}})), 5u);
  EXPECT_EQ(block_size(pairs({{"A", "b"}, {"NAME", "value"}})), 6u + 13u);
}

TEST(UwsgiClient, ServersReadTheLargestBlock) {
  for (const std::size_t block : {kMaxBlock - 1, kMaxBlock}) {
    const test::NameValues variables{{"A", std::string(block - 5, 'v')}};
    ASSERT_EQ(block_size(pairs(variables)), block);
    EXPECT_EQ(test::trace_at_every_split([] { return std::make_unique<ServerCodec>(Limits{}); },
                                         written(variables)),
              "request 1 role 1 length unknown A=" + test::show(variables[0].second) +
                  "\nbody_end 1\nwrote \n");
  }
}

}  // namespace
}  // namespace viaduct::protocol::uwsgi
