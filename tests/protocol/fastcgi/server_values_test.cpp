// FCGI_GET_VALUES and the flow-control extension on the server side.

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "protocol/fastcgi/flow_control.hpp"
#include "protocol/fastcgi/server_codec.hpp"
#include "tests/support/fastcgi_records.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

using test::begin_record;
using test::credit_record;
using test::get_values;
using test::params_records;
using test::record;

std::string read(const std::string& bytes, const ServerOptions& options = {}) {
  return test::trace_at_every_split([&] { return std::make_unique<ServerCodec>(options); }, bytes);
}

std::string result(const test::NameValues& values) {
  return test::padded_record(FCGI_GET_VALUES_RESULT, 0, test::pairs(values));
}

std::string wrote(const std::string& bytes) {
  return "wrote " + test::show(bytes) + "\n";
}
std::string error(Errc value) {
  return "error (" + std::string(describe(value)) + ")\n";
}

const ServerOptions kLink{.max_conns = 7, .max_reqs = 300, .window = 65536};

TEST(ServerValues, AnsweredFromTheOptions) {
  EXPECT_EQ(
      read(get_values({{"FCGI_MAX_REQS", ""}, {"FCGI_MPXS_CONNS", ""}, {"FCGI_MAX_CONNS", ""}}),
           {.max_conns = 7, .max_reqs = 300}),
      wrote(result({{"FCGI_MAX_REQS", "300"}, {"FCGI_MPXS_CONNS", "1"}, {"FCGI_MAX_CONNS", "7"}})));
  EXPECT_EQ(read(get_values({{"FCGI_MPXS_CONNS", ""}}), {.multiplex = false}),
            wrote(result({{"FCGI_MPXS_CONNS", "0"}})));
}

TEST(ServerValues, UnknownAndRepeatedNamesAreOmitted) {
  EXPECT_EQ(read(get_values({{"OTHER", "x"}, {"FCGI_MAX_REQS", ""}, {"FCGI_MAX_REQS", "9"}})),
            wrote(result({{"FCGI_MAX_REQS", "1"}})));
}

TEST(ServerValues, EmptyQueryGetsAnEmptyResult) {
  EXPECT_EQ(read(get_values({})), wrote(record(FCGI_GET_VALUES_RESULT, 0, "")));
  EXPECT_EQ(read(get_values({{"OTHER", ""}})), wrote(record(FCGI_GET_VALUES_RESULT, 0, "")));
}

TEST(ServerValues, MalformedQueryBreaksTheConnection) {
  for (const std::string& content :
       {std::string("\5\0FC", 4), std::string("\0\0", 2),
        test::long_length(0x7fffffff) + test::long_length(0x7fffffff)}) {
    EXPECT_EQ(read(record(FCGI_GET_VALUES, 0, content)), error(Errc::bad_record) + "wrote \n");
  }
}

TEST(ServerValues, AnsweredAtAnyTime) {
  EXPECT_EQ(read(begin_record(1) + get_values({{"FCGI_MAX_REQS", ""}}) + params_records(1, {}) +
                 get_values({})),
            "request 1 role 1 length unknown\n" +
                wrote(result({{"FCGI_MAX_REQS", "1"}}) + record(FCGI_GET_VALUES_RESULT, 0, "")));
}

TEST(ServerValues, PrefetchIsSaidWhenThereIsOne) {
  const std::string query = get_values({{"VIADUCT_PREFETCH", ""}});
  EXPECT_EQ(read(query), wrote(record(FCGI_GET_VALUES_RESULT, 0, "")));
  EXPECT_EQ(read(query, {.prefetch = 8}), wrote(result({{"VIADUCT_PREFETCH", "8"}})));
}

TEST(ServerValues, ModelIsSaidWhenThereIsOne) {
  const std::string query = get_values({{"VIADUCT_MODEL", ""}});
  EXPECT_EQ(read(query), wrote(record(FCGI_GET_VALUES_RESULT, 0, "")));
  EXPECT_EQ(read(query, {.model = "fibers"}), wrote(result({{"VIADUCT_MODEL", "fibers"}})));
}

TEST(ServerValues, HeldUntilTheOwnerIsReady) {
  ServerCodec codec({.max_reqs = 5, .window = 65536, .hold_values = true});
  const auto feed = [&codec](const std::string& bytes) {
    EXPECT_EQ(codec.feed(as_bytes(bytes)), bytes.size());
  };
  const std::string query = get_values({{"FCGI_MAX_REQS", ""}, {"VIADUCT_WINDOW", "16384"}});
  // One more than are kept.
  for (int i = 0; i < 9; ++i) feed(query);
  EXPECT_EQ(codec.next().kind, Event::Kind::none);
  EXPECT_TRUE(codec.output().empty());
  EXPECT_TRUE(codec.idle());
  codec.answer_held_values();
  const Event window = codec.next();
  EXPECT_EQ(window.kind, Event::Kind::window);
  EXPECT_EQ(window.count, 16384U);
  EXPECT_EQ(codec.next().kind, Event::Kind::none);
  const std::string answer = result({{"FCGI_MAX_REQS", "5"}, {"VIADUCT_WINDOW", "65536"}});
  EXPECT_EQ(codec.output().size(), 8 * answer.size());
  feed(query);
  EXPECT_EQ(codec.output().size(), 9 * answer.size());
}

TEST(ServerWindow, AgreedWhenBothNamedOneWithinBounds) {
  const std::string answer = result({{"VIADUCT_WINDOW", "65536"}});
  EXPECT_EQ(read(get_values({{"VIADUCT_WINDOW", "16384"}}), kLink),
            "window 16384\n" + wrote(answer));
  EXPECT_EQ(read(get_values({{"VIADUCT_WINDOW", "16777216"}}), kLink),
            "window 16777216\n" + wrote(answer));
  for (const std::string value :
       {"16383", "16777217", "0", "", "x", "-1", "99999999999999999999"}) {
    EXPECT_EQ(read(get_values({{"VIADUCT_WINDOW", value}}), kLink), wrote(answer)) << value;
  }
  EXPECT_EQ(read(get_values({{"VIADUCT_WINDOW", "16384"}})),
            wrote(record(FCGI_GET_VALUES_RESULT, 0, "")));
}

TEST(ServerWindow, DrainingIsReportedOnceAndOnlyWhenAgreed) {
  const std::string query = get_values({{"VIADUCT_DRAINING", "1"}});
  EXPECT_EQ(read(query, kLink), wrote(record(FCGI_GET_VALUES_RESULT, 0, "")));
  const std::string both = get_values({{"VIADUCT_WINDOW", "20000"}, {"VIADUCT_DRAINING", "1"}});
  const std::string answer = result({{"VIADUCT_WINDOW", "65536"}, {"VIADUCT_DRAINING", "1"}});
  EXPECT_EQ(read(both + query, kLink),
            "window 20000\ndraining\n" + wrote(answer + result({{"VIADUCT_DRAINING", "1"}})));
}

TEST(ServerWindow, DrainingMayBeAmongHeldQueries) {
  ServerCodec codec({.window = 65536, .hold_values = true});
  const std::string query = get_values({{"VIADUCT_WINDOW", "20000"}, {"VIADUCT_DRAINING", "1"}});
  for (int i = 0; i < 8; ++i) (void)codec.feed(as_bytes(query));
  codec.answer_held_values();
  EXPECT_EQ(codec.next().kind, Event::Kind::window);
  EXPECT_EQ(codec.next().kind, Event::Kind::draining);
  EXPECT_EQ(codec.next().kind, Event::Kind::none);
}

TEST(ServerWindow, AskedAgainItIsAnsweredAndNotReported) {
  const std::string query = get_values({{"VIADUCT_WINDOW", "20000"}});
  const std::string answer = result({{"VIADUCT_WINDOW", "65536"}});
  EXPECT_EQ(read(query + query, kLink), "window 20000\n" + wrote(answer + answer));
}

TEST(ServerWindow, CreditIsReportedForActiveRequests) {
  const std::string query = get_values({{"VIADUCT_WINDOW", "20000"}});
  const std::string answer = wrote(result({{"VIADUCT_WINDOW", "65536"}}));
  const std::string head = begin_record(5) + params_records(5, {});
  EXPECT_EQ(read(query + head + credit_record(5, 0x01020304) + credit_record(6, 1), kLink),
            "window 20000\nrequest 5 role 1 length unknown\ncredit 5 16909060\n" + answer);
  EXPECT_EQ(read(query + head + record(128, 5, "abc"), kLink),
            "window 20000\nrequest 5 role 1 length unknown\n" + error(Errc::bad_record) + answer);
  EXPECT_EQ(read(query + credit_record(0, 1), kLink),
            "window 20000\n" + error(Errc::bad_request_id) + answer);
}

TEST(ServerWindow, CreditIsAnUnknownTypeWithoutAgreement) {
  EXPECT_EQ(read(begin_record(5) + params_records(5, {}) + credit_record(5, 1) + record(128, 5, ""),
                 kLink),
            "request 5 role 1 length unknown\nwrote \n");
}

TEST(ServerWindow, CreditIsReturnedOnceAgreed) {
  ServerCodec codec(kLink);
  const auto feed = [&](const std::string& bytes) {
    for (Bytes left = as_bytes(bytes); !left.empty();) {
      left = left.subspan(codec.feed(left));
      while (codec.next().kind != Event::Kind::none) {
      }
    }
  };
  feed(begin_record(1) + params_records(1, {}));
  codec.credit(1, 100);
  EXPECT_TRUE(codec.output().empty());
  feed(get_values({{"VIADUCT_WINDOW", "20000"}}));
  test::drain(codec.output());
  codec.credit(2, 100);
  EXPECT_TRUE(codec.output().empty());
  codec.credit(1, 100);
  EXPECT_EQ(test::show(test::drain(codec.output())),
            test::show(std::string("\1\200\0\1\0\4\4\0\0\0\0\144\0\0\0\0", 16)));
}

TEST(ServerTrace, AskedForActiveRequestsOnceAgreed) {
  const std::string query = get_values({{"VIADUCT_WINDOW", "20000"}});
  const std::string answer = wrote(result({{"VIADUCT_WINDOW", "65536"}}));
  const std::string head = begin_record(5) + params_records(5, {});
  EXPECT_EQ(
      read(query + head + record(129, 5, "") + record(129, 5, "") + record(129, 6, ""), kLink),
      "window 20000\nrequest 5 role 1 length unknown\ntrace 5\ntrace 5\n" + answer);
  EXPECT_EQ(read(query + begin_record(5) + record(129, 5, ""), kLink), "window 20000\n" + answer);
  EXPECT_EQ(read(query + head + record(129, 5, "x"), kLink),
            "window 20000\nrequest 5 role 1 length unknown\n" + error(Errc::bad_record) + answer);
  EXPECT_EQ(read(query + record(129, 0, ""), kLink),
            "window 20000\n" + error(Errc::bad_request_id) + answer);
}

TEST(ServerTrace, UnknownTypeWithoutAgreement) {
  EXPECT_EQ(read(begin_record(5) + params_records(5, {}) + record(129, 5, ""), kLink),
            "request 5 role 1 length unknown\nwrote \n");
}

TEST(ServerTrace, AnsweredUntilTheRequestEnds) {
  ServerCodec codec(kLink);
  const auto feed = [&](const std::string& bytes) {
    for (Bytes left = as_bytes(bytes); !left.empty();) {
      left = left.subspan(codec.feed(left));
      while (codec.next().kind != Event::Kind::none) {
      }
    }
  };
  feed(begin_record(1) + params_records(1, {}));
  codec.trace(1, "main");
  EXPECT_TRUE(codec.output().empty());
  feed(get_values({{"VIADUCT_WINDOW", "20000"}}));
  test::drain(codec.output());
  codec.trace(2, "main");
  EXPECT_TRUE(codec.output().empty());
  codec.trace(1, "main");
  EXPECT_EQ(test::show(test::drain(codec.output())),
            test::show(test::padded_record(129, 1, "main")));
  codec.end(1, 0);
  test::drain(codec.output());
  codec.trace(1, "main");
  EXPECT_TRUE(codec.output().empty());
}

}  // namespace
}  // namespace viaduct::protocol::fastcgi
