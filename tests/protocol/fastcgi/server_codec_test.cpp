// What the server side makes of its input. Every input is fed whole, byte by byte and cut in two at
// every point; see trace_at_every_split.

#include "protocol/fastcgi/server_codec.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/fastcgi_records.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

using test::abort_record;
using test::begin_record;
using test::end_record;
using test::error;
using test::pair;
using test::params_records;
using test::record;
using test::stdin_record;

std::string read(const std::string& bytes, const ServerOptions& options = {},
                 const test::Handler& handler = {}) {
  return test::trace_at_every_split([&] { return std::make_unique<ServerCodec>(options); }, bytes,
                                    handler);
}

std::string wrote(const std::string& bytes) {
  return "wrote " + test::show(bytes) + "\n";
}

// Ends every request as soon as its head is there.
void end_at_once(protocol::ServerCodec& codec, const Event& event) {
  if (event.kind == Event::Kind::request || event.kind == Event::Kind::refused) {
    codec.end(event.id, 0);
  }
}
std::string ended(unsigned id) {
  return record(FCGI_STDOUT, id, "") + end_record(id);
}

TEST(ServerCodecInput, ResponderRequest) {
  EXPECT_EQ(read(test::request(1, {{"A", "1"}, {"CONTENT_LENGTH", "5"}}, "hello")),
            "request 1 role 1 length 5 A=1 CONTENT_LENGTH=5\nbody 1 hello\nbody_end 1\nwrote \n");
}

TEST(ServerCodecInput, RequestWithoutParamsOrBody) {
  EXPECT_EQ(read(begin_record(1) + params_records(1, {}) + stdin_record(1, "")),
            "request 1 role 1 length unknown\nbody_end 1\nwrote \n");
}

TEST(ServerCodecInput, GreatestRequestId) {
  EXPECT_EQ(read(test::request(65535, {{"A", "1"}})),
            "request 65535 role 1 length unknown A=1\nbody_end 65535\nwrote \n");
}

TEST(ServerCodecInput, ParamsMayBeCutAnywhereAcrossRecords) {
  const std::string stream = pair("NAME", "value") + pair("LONG", std::string(130, 'v'));
  const std::string tail = record(FCGI_PARAMS, 3, "") + stdin_record(3, "");
  const std::string expected = read(begin_record(3) + record(FCGI_PARAMS, 3, stream) + tail);
  EXPECT_TRUE(expected.starts_with("request 3 role 1 length unknown NAME=value LONG=<130"));
  for (std::size_t at = 1; at < stream.size(); ++at) {
    ServerCodec codec({});
    EXPECT_EQ(test::trace(
                  codec, {begin_record(3) + record(FCGI_PARAMS, 3, stream.substr(0, at), at % 256) +
                          record(FCGI_PARAMS, 3, stream.substr(at), 7) + tail}),
              expected);
  }
}

TEST(ServerCodecInput, InterleavedRequestsKeepApart) {
  EXPECT_EQ(read(begin_record(1) + begin_record(2) + record(FCGI_PARAMS, 2, pair("B", "2")) +
                 record(FCGI_PARAMS, 1, pair("A", "1")) + record(FCGI_PARAMS, 1, "") +
                 stdin_record(1, "one") + record(FCGI_PARAMS, 2, "") + stdin_record(2, "two") +
                 stdin_record(1, "") + stdin_record(2, "")),
            "request 1 role 1 length unknown A=1\nbody 1 one\nrequest 2 role 1 length unknown B=2\n"
            "body 2 two\nbody_end 1\nbody_end 2\nwrote \n");
}

// HAProxy once counted these lengths in 16 bits.
TEST(ServerCodecInput, BodiesAroundTheGreatestRecordLength) {
  for (const std::size_t size : {65535, 65536, 99000}) {
    const std::string body(size, 'x');
    std::string bytes = begin_record(1) + params_records(1, {});
    for (std::size_t at = 0; at < size; at += 65535) {
      bytes += stdin_record(1, std::string_view(body).substr(at, 65535), 255);
    }
    EXPECT_EQ(read(bytes + stdin_record(1, "")), "request 1 role 1 length unknown\nbody 1 " +
                                                     test::show(body) + "\nbody_end 1\nwrote \n");
  }
}

TEST(ServerCodecInput, BytesBeyondContentLengthAreDropped) {
  EXPECT_EQ(
      read(begin_record(1) + params_records(1, {{"CONTENT_LENGTH", "4"}}) + stdin_record(1, "abc") +
           stdin_record(1, "defg") + stdin_record(1, "h") + stdin_record(1, "")),
      "request 1 role 1 length 4 CONTENT_LENGTH=4\nbody 1 abcd\nbody_end 1\nwrote \n");
}

TEST(ServerCodecInput, BodyShorterThanContentLengthIsAnAbort) {
  EXPECT_EQ(read(test::request(1, {{"CONTENT_LENGTH", "4"}}, "abc") + abort_record(1)),
            "request 1 role 1 length 4 CONTENT_LENGTH=4\nbody 1 abc\n"
            "abort 1 (body ended before CONTENT_LENGTH bytes)\nwrote \n");
  EXPECT_EQ(read(test::request(1, {{"CONTENT_LENGTH", "18446744073709551615"}}, "")),
            "request 1 role 1 length 18446744073709551615 CONTENT_LENGTH=18446744073709551615\n"
            "abort 1 (body ended before CONTENT_LENGTH bytes)\nwrote \n");
}

TEST(ServerCodecInput, AuthorizerDoesNotWaitForStdin) {
  EXPECT_EQ(read(begin_record(1, FCGI_AUTHORIZER) + params_records(1, {{"A", "1"}}) +
                 stdin_record(1, "ignored") + stdin_record(1, "")),
            "request 1 role 2 length unknown A=1\nbody_end 1\nwrote \n");
}

TEST(ServerCodecInput, FilterReadsDataBehindStdin) {
  const std::string head = begin_record(1, FCGI_FILTER) + params_records(1, {{"A", "1"}});
  EXPECT_EQ(read(head + stdin_record(1, "in") + stdin_record(1, "") + stdin_record(1, "") +
                 record(FCGI_DATA, 1, "file", 4) + record(FCGI_DATA, 1, "") +
                 record(FCGI_DATA, 1, "late")),
            "request 1 role 3 length unknown A=1\nbody 1 in\nbody_end 1\ndata 1 file\n"
            "data_end 1\nwrote \n");
  EXPECT_EQ(read(head + record(FCGI_DATA, 1, "early")),
            "request 1 role 3 length unknown A=1\n" + error(Errc::unexpected_record));
}

TEST(ServerCodecInput, StreamsOutOfOrderBreakTheConnection) {
  EXPECT_EQ(read(begin_record(1) + stdin_record(1, "early")), error(Errc::unexpected_record));
  EXPECT_EQ(read(begin_record(1) + record(FCGI_DATA, 1, "")), error(Errc::unexpected_record));
  EXPECT_EQ(read(begin_record(1) + params_records(1, {}) + params_records(1, {{"A", "1"}})),
            "request 1 role 1 length unknown\n" + error(Errc::unexpected_record));
}

TEST(ServerCodecInput, AbortBeforeTheHeadIsAnsweredByTheCodec) {
  const std::string answer = end_record(1);
  EXPECT_EQ(read(begin_record(1) + abort_record(1)), wrote(answer));
  EXPECT_EQ(read(begin_record(1) + record(FCGI_PARAMS, 1, pair("A", "1")) + abort_record(1) +
                 record(FCGI_PARAMS, 1, "") + stdin_record(1, "")),
            wrote(answer));
  EXPECT_EQ(read(begin_record(1, 1, 0) + abort_record(1)), wrote(answer) + "closing\n");
}

TEST(ServerCodecInput, AbortAfterTheHeadIsReportedOnce) {
  const std::string head = begin_record(1) + params_records(1, {});
  const std::string reported = "request 1 role 1 length unknown\n";
  EXPECT_EQ(read(head + abort_record(1) + abort_record(1) + stdin_record(1, "late")),
            reported + "abort 1\nwrote \n");
  EXPECT_EQ(read(head + stdin_record(1, "x") + abort_record(1) + stdin_record(1, "")),
            reported + "body 1 x\nabort 1\nwrote \n");
  EXPECT_EQ(read(head + stdin_record(1, "") + abort_record(1)),
            reported + "body_end 1\nabort 1\nwrote \n");
}

TEST(ServerCodecInput, RecordsForInactiveIdsAreIgnored) {
  EXPECT_EQ(read(stdin_record(7, "x") + params_records(7, {{"A", "1"}}) + abort_record(7) +
                 record(FCGI_DATA, 7, "x") + test::credit_record(7, 5)),
            "wrote \n");
}

TEST(ServerCodecInput, StdinBeforeBeginAllocatesNothing) {
  ServerCodec codec({});
  for (unsigned id = 1; id <= 65535; ++id) {
    const std::string bytes = stdin_record(id, "");
    ASSERT_EQ(codec.feed(as_bytes(bytes)), bytes.size());
    ASSERT_EQ(codec.next().kind, Event::Kind::none);
  }
  EXPECT_TRUE(codec.idle());
  EXPECT_FALSE(codec.multiplexed());
}

TEST(ServerCodecInput, InputAfterTheResponseIsIgnored) {
  EXPECT_EQ(read(test::request(1, {}, "body") + stdin_record(1, "late") + stdin_record(1, "") +
                     abort_record(1) + test::request(1, {{"A", "2"}}),
                 {}, end_at_once),
            "request 1 role 1 length unknown\nrequest 1 role 1 length unknown A=2\n" +
                wrote(ended(1) + ended(1)));
}

TEST(ServerCodecInput, BeginOfAnActiveIdBreaksTheConnection) {
  EXPECT_EQ(read(begin_record(1) + begin_record(1)), error(Errc::request_id_in_use));
  EXPECT_EQ(read(begin_record(1) + params_records(1, {}) + begin_record(1)),
            "request 1 role 1 length unknown\n" + error(Errc::request_id_in_use));
}

TEST(ServerCodecInput, UnknownRoleIsAnsweredByTheCodec) {
  for (const unsigned role : {0u, 4u, 65535u}) {
    EXPECT_EQ(read(begin_record(1, role) + params_records(1, {{"A", "1"}}) + stdin_record(1, "")),
              wrote(end_record(1, 0, FCGI_UNKNOWN_ROLE)));
  }
  EXPECT_EQ(read(begin_record(1, 9, 0)), wrote(end_record(1, 0, FCGI_UNKNOWN_ROLE)) + "closing\n");
}

TEST(ServerCodecInput, SecondRequestWithoutMultiplexing) {
  const ServerOptions options{.multiplex = false};
  EXPECT_EQ(read(begin_record(1) + test::request(2, {{"B", "2"}}) + params_records(1, {}), options),
            "request 1 role 1 length unknown\n" + wrote(end_record(2, 0, FCGI_CANT_MPX_CONN)));
  EXPECT_EQ(read(test::request(1, {}) + test::request(2, {}), options, end_at_once),
            "request 1 role 1 length unknown\nrequest 2 role 1 length unknown\n" +
                wrote(ended(1) + ended(2)));
}

TEST(ServerCodecInput, UnknownTypes) {
  EXPECT_EQ(read(record(200, 0, "abc", 5) + record(12, 0, "") + record(0, 0, "") +
                 test::credit_record(0, 1)),
            wrote(record(FCGI_UNKNOWN_TYPE, 0, std::string("\310\0\0\0\0\0\0\0", 8)) +
                  record(FCGI_UNKNOWN_TYPE, 0, std::string("\14\0\0\0\0\0\0\0", 8)) +
                  record(FCGI_UNKNOWN_TYPE, 0, std::string("\0\0\0\0\0\0\0\0", 8)) +
                  record(FCGI_UNKNOWN_TYPE, 0, std::string("\200\0\0\0\0\0\0\0", 8))));
  EXPECT_EQ(
      read(begin_record(1) + record(200, 1, "abc", 5) + record(0, 9, "x") + params_records(1, {})),
      "request 1 role 1 length unknown\nwrote \n");
}

TEST(ServerCodecInput, IdsThatDoNotFitTheType) {
  for (const unsigned type : {1u, 2u, 4u, 5u, 8u, 3u, 6u, 7u}) {
    EXPECT_EQ(read(record(type, 0, "")), error(Errc::bad_request_id)) << type;
  }
  for (const unsigned type : {9u, 10u, 11u}) {
    EXPECT_EQ(read(record(type, 1, "")), error(Errc::bad_request_id)) << type;
  }
}

TEST(ServerCodecInput, RecordsThatOnlyAServerSends) {
  for (const unsigned type : {3u, 6u, 7u}) {
    EXPECT_EQ(read(record(type, 1, "")), error(Errc::unexpected_record)) << type;
  }
  for (const unsigned type : {10u, 11u}) {
    EXPECT_EQ(read(record(type, 0, "")), error(Errc::unexpected_record)) << type;
  }
}

TEST(ServerCodecInput, BeginBodyHasEightBytes) {
  for (const std::size_t size : {0, 7, 9, 65535}) {
    EXPECT_EQ(read(record(FCGI_BEGIN_REQUEST, 1, std::string(size, '\1'))),
              error(Errc::bad_record));
  }
}

TEST(ServerCodecInput, ForeignProtocolsAreRecognised) {
  EXPECT_EQ(read("GET / HTTP/1.1\r\n\r\n"), error(Errc::bad_version));
  EXPECT_EQ(read(std::string("\0\1\0\1\0\0\0\0", 8)), error(Errc::bad_version));
}

TEST(ServerCodecInput, NothingIsReportedAfterAnError) {
  ServerCodec codec({});
  const std::string bad(8, 'x');
  const std::string good = test::request(1, {});
  codec.feed(as_bytes(bad));
  EXPECT_EQ(codec.error(), Errc::bad_version);
  EXPECT_EQ(codec.feed(as_bytes(good)), 0u);
  EXPECT_EQ(codec.next().kind, Event::Kind::none);
  EXPECT_EQ(codec.error(), Errc::bad_version);
}

TEST(ServerCodecInput, IdleBetweenRequestsOnly) {
  ServerCodec codec({});
  const std::string bytes = test::request(1, {{"A", "1"}}, "x");
  EXPECT_TRUE(codec.idle());
  for (const char& byte : bytes) {
    ASSERT_EQ(codec.feed(as_bytes({&byte, 1})), 1u);
    while (codec.next().kind != Event::Kind::none) {
    }
    ASSERT_FALSE(codec.idle());
  }
  codec.end(1, 0);
  EXPECT_TRUE(codec.idle());
}

}  // namespace
}  // namespace viaduct::protocol::fastcgi
