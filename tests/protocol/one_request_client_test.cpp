// What the client sides of SCGI and uwsgi share.

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "protocol/scgi/client_codec.hpp"
#include "protocol/uwsgi/client_codec.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::protocol {
namespace {

using Kind = ClientEvent::Kind;

template <class Codec>
class OneRequestClientTest : public ::testing::Test {
 protected:
  std::unique_ptr<Codec> begun() {
    auto codec = std::make_unique<Codec>();
    codec->begin(1, Role::responder, false);
    return codec;
  }
};

using Codecs = ::testing::Types<scgi::ClientCodec, uwsgi::ClientCodec>;
TYPED_TEST_SUITE(OneRequestClientTest, Codecs);

TYPED_TEST(OneRequestClientTest, TheResponseIsPassedOnAsItComes) {
  const std::string trace =
      test::trace_at_every_split([this] { return this->begun(); }, "Status: 200 OK\r\n\r\nhello");
  EXPECT_EQ(trace, "output 1 Status: 200 OK\\x0d\\x0a\\x0d\\x0ahello\nwrote \n");
}

TYPED_TEST(OneRequestClientTest, EndOfFileEndsAResponseThatHasBegun) {
  const auto codec = this->begun();
  codec->finish();
  EXPECT_EQ(codec->next().kind, Kind::none) << "nothing of a response has come";
  EXPECT_EQ(codec->feed(as_bytes("x")), 1u);
  EXPECT_EQ(codec->feed(as_bytes("y")), 0u) << "an event waits";
  EXPECT_EQ(codec->next().kind, Kind::output);
  codec->finish();
  const ClientEvent end = codec->next();
  EXPECT_EQ(end.kind, Kind::end);
  EXPECT_EQ(end.id, 1);
  EXPECT_EQ(end.app_status, 0u);
  EXPECT_EQ(end.protocol_status, fastcgi::ProtocolStatus::request_complete);
  codec->finish();
  EXPECT_EQ(codec->next().kind, Kind::none) << "it has ended before";
  EXPECT_EQ(codec->feed(as_bytes("more")), 4u);
  EXPECT_EQ(codec->next().kind, Kind::none) << "there is no request that it could answer";
}

TYPED_TEST(OneRequestClientTest, BytesBeforeARequestAnswerNothing) {
  TypeParam codec;
  EXPECT_EQ(codec.feed(as_bytes("early")), 5u);
  EXPECT_EQ(codec.next().kind, Kind::none);
  codec.begin(1, Role::responder, false);
  codec.finish();
  EXPECT_EQ(codec.next().kind, Kind::none);
}

TYPED_TEST(OneRequestClientTest, WhatIsFastcgisAloneDoesNothing) {
  const auto codec = this->begun();
  codec->get_values(65'536, true);
  codec->input_end(1);
  codec->data(1, as_bytes("x"));
  codec->data_end(1);
  codec->abort(1);
  codec->credit(1, 5);
  codec->trace(1);
  EXPECT_TRUE(codec->output().empty());
  EXPECT_EQ(codec->error(), Errc::ok);
}

TYPED_TEST(OneRequestClientTest, BodiesAreWrittenAsTheyAre) {
  const auto codec = this->begun();
  const std::string body(100'000, 'b');
  codec->input(1, as_bytes("a"));
  codec->input(1, as_bytes(body));
  EXPECT_EQ(test::drain(codec->output()), "a" + body);
}

}  // namespace
}  // namespace viaduct::protocol
