#include "protocol/scgi/client_codec.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "protocol/scgi/codec.hpp"
#include "tests/support/scgi_bytes.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::protocol::scgi {
namespace {

std::string written(const test::NameValues& variables, std::string_view body = "") {
  Pairs params;
  for (const auto& [name, value] : variables) params.add(name, value);
  ClientCodec codec;
  codec.begin(1, Role::responder, false);
  codec.params(1, params);
  codec.input(1, as_bytes(body));
  codec.input_end(1);
  return test::drain(codec.output());
}

TEST(ScgiClient, ContentLengthComesFirst) {
  EXPECT_EQ(written({{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", "5"}, {"A", ""}}, "hello"),
            test::scgi_request({{"REQUEST_METHOD", "POST"}, {"A", ""}}, "hello"));
}

TEST(ScgiClient, WithoutALengthThereIsNoBody) {
  const std::string request = test::scgi_request({{"A", "1"}});
  EXPECT_EQ(written({{"A", "1"}}), request);
  EXPECT_EQ(written({{"CONTENT_LENGTH", ""}, {"A", "1"}}), request);
}

TEST(ScgiClient, TheMarkIsItsOwn) {
  EXPECT_EQ(written({{"SCGI", "2"}, {"A", "1"}}), test::scgi_request({{"A", "1"}}));
}

TEST(ScgiClient, ServersReadWhatIsWritten) {
  const std::string large(65'000, 'v');
  for (const std::string& value : {std::string(), std::string("x"), large}) {
    const std::string bytes =
        written({{"CONTENT_LENGTH", "4"}, {"NAME", value}, {"OTHER", "o"}}, "body");
    EXPECT_EQ(
        test::trace_at_every_split([] { return std::make_unique<ServerCodec>(Limits{}); }, bytes),
        "request 1 role 1 length 4 CONTENT_LENGTH=4 SCGI=1 NAME=" + test::show(value) +
            " OTHER=o\nbody 1 body\nbody_end 1\nwrote \n");
  }
}

}  // namespace
}  // namespace viaduct::protocol::scgi
