#include "protocol/fastcgi/client_codec.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/fastcgi_records.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

using test::credit_record;
using test::end_record;
using test::error;
using test::pairs;
using test::record;
using test::show;

std::string read(const std::string& bytes) {
  return test::trace_at_every_split([] { return std::make_unique<ClientCodec>(); }, bytes);
}

// With `queries` questions under way, the last of them offering `window`.
std::string read_answer(const std::string& bytes, int queries,
                        std::optional<std::uint32_t> window) {
  const auto make = [=] {
    auto codec = std::make_unique<ClientCodec>();
    for (int i = 0; i < queries; ++i) codec->get_values(window);
    codec->output().consume(codec->output().size());
    return codec;
  };
  return test::trace_at_every_split(make, bytes);
}

std::string result(const test::NameValues& values) {
  return record(FCGI_GET_VALUES_RESULT, 0, pairs(values), 3);
}

TEST(ClientCodecInput, InterleavedStreams) {
  EXPECT_EQ(read(record(6, 1, "one", 5) + record(6, 2, "two", 255) + record(7, 1, "err") +
                 record(6, 1, "more") + record(6, 1, "") + record(7, 1, "") + end_record(1, 9) +
                 end_record(2, 0, FCGI_OVERLOADED)),
            "output 1 one\noutput 2 two\nerrors 1 err\noutput 1 more\noutput_end 1\nend 1 9 0\n"
            "end 2 0 2\nwrote \n");
}

TEST(ClientCodecInput, LooseEndingsAreAccepted) {
  // END without an empty STDOUT; STDERR behind the end of STDOUT; output of an id never begun.
  EXPECT_EQ(
      read(record(6, 1, "a") + end_record(1) + record(6, 2, "") + record(7, 2, "late") +
           end_record(2) + record(6, 999, "x")),
      "output 1 a\nend 1 0 0\noutput_end 2\nerrors 2 late\nend 2 0 0\noutput 999 x\nwrote \n");
}

TEST(ClientCodecInput, LongestRecordWithLongestPadding) {
  const std::string content(65535, 'x');
  EXPECT_EQ(read(record(6, 1, content, 255) + record(6, 1, content, 255) + end_record(1)),
            "output 1 " + show(content + content) + "\nend 1 0 0\nwrote \n");
}

TEST(ClientCodecInput, EveryProtocolStatus) {
  for (const unsigned status : {0u, 1u, 2u, 3u}) {
    EXPECT_EQ(read(end_record(1, 0xfffefdfc, status)),
              "end 1 4294901244 " + std::to_string(status) + "\nwrote \n");
  }
  EXPECT_EQ(read(end_record(1, 0, 4)), error(Errc::bad_record));
}

TEST(ClientCodecInput, MalformedRecordsBreakTheLink) {
  EXPECT_EQ(read(record(3, 1, "1234567")), error(Errc::bad_record));
  EXPECT_EQ(read(record(3, 1, "123456789")), error(Errc::bad_record));
  EXPECT_EQ(read(record(6, 1, "x", 0, 2)), error(Errc::bad_version));
  EXPECT_EQ(read("Content-Type: text/plain\r\n\r\n"), error(Errc::bad_version));
}

TEST(ClientCodecInput, IdsThatDoNotFitTheType) {
  for (unsigned type = 1; type <= 8; ++type) {
    EXPECT_EQ(read(record(type, 0, "")), error(Errc::bad_request_id)) << type;
  }
  for (unsigned type = 9; type <= 11; ++type) {
    EXPECT_EQ(read(record(type, 1, "")), error(Errc::bad_request_id)) << type;
  }
}

TEST(ClientCodecInput, RecordsThatOnlyAClientSends) {
  for (const unsigned type : {1u, 2u, 4u, 5u, 8u}) {
    EXPECT_EQ(read(record(type, 1, "")), error(Errc::unexpected_record)) << type;
  }
  EXPECT_EQ(read(record(FCGI_GET_VALUES, 0, "")), error(Errc::unexpected_record));
}

TEST(ClientCodecInput, UnknownTypesAreSkipped) {
  EXPECT_EQ(read(record(77, 0, "x", 7) + record(77, 1, "x") +
                 record(FCGI_UNKNOWN_TYPE, 0, "12345678") + record(0, 0, "") + end_record(1)),
            "end 1 0 0\nwrote \n");
}

TEST(ClientCodecValues, AnswerIsReported) {
  EXPECT_EQ(read_answer(result({{"FCGI_MAX_CONNS", "3"},
                                {"FCGI_MAX_REQS", "50"},
                                {"FCGI_MPXS_CONNS", "1"},
                                {"VIADUCT_WINDOW", "262144"},
                                {"VIADUCT_PREFETCH", "8"}}),
                        1, 65536),
            "values 3 50 1 262144 8\nwrote \n");
  EXPECT_EQ(read_answer(result({{"FCGI_MPXS_CONNS", "0"}}), 1, std::nullopt),
            "values - - 0 - -\nwrote \n");
}

TEST(ClientCodecValues, ModelOfThreadsIsKnown) {
  for (const auto& [model, threads] :
       std::initializer_list<std::pair<const char*, bool>>{{"threads", true}, {"fibers", false}}) {
    ClientCodec codec;
    codec.get_values(65536);
    const std::string answer = result({{"VIADUCT_MODEL", model}});
    EXPECT_GT(codec.feed(as_bytes(answer)), 0u);
    EXPECT_EQ(codec.next().values.threads, threads) << model;
  }
}

TEST(ClientCodecValues, AnswersBeyondTheQuestionsAreIgnored) {
  const std::string bytes = result({{"FCGI_MPXS_CONNS", "1"}}) + result({}) + end_record(1);
  EXPECT_EQ(read_answer(bytes, 1, std::nullopt), "values - - 1 - -\nend 1 0 0\nwrote \n");
  EXPECT_EQ(read_answer(bytes, 2, std::nullopt),
            "values - - 1 - -\nvalues - - - - -\nend 1 0 0\nwrote \n");
  EXPECT_EQ(read(bytes), "end 1 0 0\nwrote \n");
}

TEST(ClientCodecValues, WhatIsNoNumberOrOutOfBoundsIsAbsent) {
  EXPECT_EQ(read_answer(result({{"FCGI_MAX_CONNS", "-1"},
                                {"FCGI_MAX_REQS", "4294967296"},
                                {"FCGI_MPXS_CONNS", "yes"},
                                {"VIADUCT_WINDOW", "16383"}}),
                        1, 65536),
            "values - - - - -\nwrote \n");
  EXPECT_EQ(read_answer(result({{"VIADUCT_WINDOW", "16777217"}}), 1, 65536),
            "values - - - - -\nwrote \n");
}

TEST(ClientCodecValues, MalformedAnswerBreaksTheLink) {
  EXPECT_EQ(read_answer(record(10, 0, std::string("\5\1FC", 4)), 1, std::nullopt),
            error(Errc::bad_record));
  EXPECT_EQ(read_answer(record(10, 0, test::long_length(0x7fffffff) + "\1"), 1, std::nullopt),
            error(Errc::bad_record));
}

TEST(ClientCodecWindow, CreditCountsOnceBothSidesNamedAWindow) {
  const std::string agreed = result({{"VIADUCT_WINDOW", "16384"}});
  EXPECT_EQ(read_answer(credit_record(1, 5) + agreed + credit_record(1, 0xfffffff0), 1, 65536),
            "values - - - 16384 -\ncredit 1 4294967280\nwrote \n");
  EXPECT_EQ(read_answer(agreed + credit_record(1, 5), 1, std::nullopt),
            "values - - - 16384 -\nwrote \n");
  EXPECT_EQ(read_answer(result({}) + credit_record(1, 5), 1, 65536), "values - - - - -\nwrote \n");
  EXPECT_EQ(read_answer(agreed + record(128, 1, "12345"), 1, 65536),
            "values - - - 16384 -\n" + error(Errc::bad_record));
  EXPECT_EQ(read_answer(agreed + credit_record(0, 5), 1, 65536),
            "values - - - 16384 -\n" + error(Errc::bad_request_id));
}

TEST(ClientCodecTrace, TextIsReportedAsAWhole) {
  const std::string agreed = result({{"VIADUCT_WINDOW", "16384"}});
  EXPECT_EQ(read_answer(record(129, 1, "early") + agreed + record(129, 1, "a\nb\n", 3) +
                            record(129, 2, "") + record(129, 1, "c"),
                        1, 65536),
            "values - - - 16384 -\ntrace 1 a\\x0ab\\x0a\ntrace 2 \ntrace 1 c\nwrote \n");
  EXPECT_EQ(read_answer(agreed + record(129, 0, "a"), 1, 65536),
            "values - - - 16384 -\n" + error(Errc::bad_request_id));
}

TEST(ClientCodecTrace, LengthIsLimited) {
  const std::string agreed = result({{"VIADUCT_WINDOW", "16384"}});
  const auto read_once = [&](std::size_t size) {
    ClientCodec codec;
    codec.get_values(65536);
    const std::string bytes = agreed + record(129, 1, std::string(size, 'x'));
    std::size_t text = 0;
    for (Bytes left = as_bytes(bytes); !left.empty() && codec.error() == Errc::ok;) {
      left = left.subspan(codec.feed(left));
      for (auto event = codec.next(); event.kind != ClientEvent::Kind::none; event = codec.next()) {
        if (event.kind == ClientEvent::Kind::trace) text = event.text.size();
      }
    }
    return std::pair(codec.error(), text);
  };
  EXPECT_EQ(read_once(kMaxTrace - 1), std::pair(Errc::ok, kMaxTrace - 1));
  EXPECT_EQ(read_once(kMaxTrace), std::pair(Errc::ok, kMaxTrace));
  EXPECT_EQ(read_once(kMaxTrace + 1), std::pair(Errc::bad_record, std::size_t{0}));
}

TEST(ClientCodecTrace, QueryIsAnEmptyRecord) {
  ClientCodec codec;
  codec.trace(3);
  EXPECT_EQ(show(test::drain(codec.output())), show(record(129, 3, "")));
}

TEST(ClientCodecOutput, QueryNamesEachVariableOnce) {
  ClientCodec codec;
  codec.get_values(std::nullopt);
  std::string content = pairs({{"FCGI_MAX_REQS", ""}, {"FCGI_MPXS_CONNS", ""}});
  EXPECT_EQ(show(test::drain(codec.output())),
            show(record(9, 0, content, 0).replace(6, 1, 1, '\10') + std::string(8, '\0')));
  codec.get_values(262144);
  content += pairs({{"VIADUCT_WINDOW", "262144"}, {"VIADUCT_PREFETCH", ""}, {"VIADUCT_MODEL", ""}});
  EXPECT_EQ(show(test::drain(codec.output())),
            show(record(9, 0, content, 0).replace(6, 1, 1, '\1') + std::string(1, '\0')));
}

TEST(ClientCodecOutput, RequestIsContiguous) {
  ClientCodec codec;
  Pairs params;
  params.add("A", "12345");
  codec.begin(1, Role::responder, false);
  codec.params(1, params);
  codec.input(1, as_bytes("12345678"));
  codec.input_end(1);
  codec.data(1, as_bytes("87654321"));
  codec.data_end(1);
  codec.abort(1);
  EXPECT_EQ(
      show(test::drain(codec.output())),
      show(record(1, 1, std::string("\0\1\0\0\0\0\0\0", 8)) +
           record(4, 1, pairs({{"A", "12345"}})) + record(4, 1, "") + record(5, 1, "12345678") +
           record(5, 1, "") + record(8, 1, "87654321") + record(8, 1, "") + test::abort_record(1)));
}

TEST(ClientCodecOutput, EmptyParamsAreAnEmptyStream) {
  ClientCodec codec;
  codec.params(1, {});
  codec.credit(1, 7);
  EXPECT_EQ(show(test::drain(codec.output())),
            show(record(4, 1, "") + std::string("\1\200\0\1\0\4\4\0\0\0\0\7\0\0\0\0", 16)));
}

}  // namespace
}  // namespace viaduct::protocol::fastcgi
