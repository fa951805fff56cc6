// Limits of the server side at, below and above their values, and what it refuses.

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "protocol/fastcgi/server_codec.hpp"
#include "tests/support/fastcgi_records.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

using test::begin_record;
using test::long_length;
using test::pair;
using test::params_records;
using test::record;
using test::stdin_record;

std::string read(const std::string& bytes, const Limits& limits) {
  return test::trace_at_every_split(
      [&] { return std::make_unique<ServerCodec>(ServerOptions{.limits = limits}); }, bytes);
}

std::string refused(unsigned id, Errc error) {
  return "refused " + std::to_string(id) + " (" + describe(error) + ")\n";
}

TEST(ServerLimits, ParamsErrorsRefuseTheRequestOnly) {
  const Limits limits{.params = 30, .name = 10, .value = 20, .count = 3};
  struct Case {
    std::string stream;
    Errc error;
  };
  const std::string ten(10, 'n');
  for (const Case& test : {
           Case{pair(ten, std::string(20, 'v')), Errc::ok},
           Case{pair(ten, std::string(21, 'v')), Errc::param_value_too_long},
           Case{pair(ten + "n", "v"), Errc::param_name_too_long},
           Case{pair(ten, std::string(20, 'v')) + pair("A", ""), Errc::params_too_large},
           Case{pair("A", "") + pair("B", "") + pair("C", ""), Errc::ok},
           Case{pair("A", "") + pair("B", "") + pair("C", "") + pair("D", ""),
                Errc::too_many_params},
           Case{pair("", "v"), Errc::bad_param_name},
           Case{pair("A=", "v"), Errc::bad_param_name},
           Case{pair("A", std::string("\0", 1)), Errc::bad_param_value},
           Case{pair("A", "1").substr(0, 3), Errc::bad_params},
           Case{long_length(0x7fffffff) + long_length(0x7fffffff), Errc::param_name_too_long},
           Case{std::string("\1") + long_length(0x7fffffff) + "A", Errc::param_value_too_long},
           Case{pair("CONTENT_LENG", ""), Errc::param_name_too_long},
       }) {
    // The refused request's remaining input is skipped; another request goes on.
    const std::string bytes = begin_record(1) + begin_record(2) +
                              record(FCGI_PARAMS, 1, test.stream, 3) + record(FCGI_PARAMS, 1, "") +
                              stdin_record(1, "") + test::abort_record(7) + params_records(2, {});
    const std::string text = read(bytes, limits);
    const std::string other = "request 2 role 1 length unknown\nwrote \n";
    ASSERT_TRUE(text.ends_with(other)) << text;
    if (test.error == Errc::ok) {
      EXPECT_TRUE(text.starts_with("request 1 ")) << text;
    } else {
      EXPECT_EQ(text, refused(1, test.error) + other);
    }
  }
}

// Few bytes can make the store of each of many requests twice as large.
TEST(ServerLimits, GrowthOfManyHeadsIsReportedInPieces) {
  constexpr unsigned kRequests = 500;
  constexpr std::size_t kHead = 30'000;
  ServerCodec codec(ServerOptions{});
  std::size_t reported = 0;
  const auto feed = [&](const std::string& text) {
    for (Bytes bytes = as_bytes(text); !bytes.empty();) {
      const std::size_t before = codec.memory();
      bytes = bytes.subspan(codec.feed(bytes));
      // One more head may have grown when it is noticed.
      EXPECT_LE(codec.memory(), before + Event::kGrowth + 3 * kHead);
      for (Event event = codec.next(); event.kind != Event::Kind::none; event = codec.next()) {
        ASSERT_EQ(event.kind, Event::Kind::growth);
        ++reported;
      }
    }
  };
  std::string more;
  for (unsigned id = 1; id <= kRequests; ++id) {
    feed(begin_record(id) +
         record(FCGI_PARAMS, id, "\x01" + long_length(60'000) + "A" + std::string(kHead, 'x')));
    more += record(FCGI_PARAMS, id, "x");
  }
  const std::size_t before = codec.memory();
  reported = 0;
  feed(more);
  EXPECT_GT(codec.memory() - before, kRequests * kHead / 2) << "they did grow";
  EXPECT_GE(reported, (codec.memory() - before) / (Event::kGrowth + 3 * kHead));
}

TEST(ServerLimits, BadContentLengthRefuses) {
  const std::string rest = "wrote \n";
  for (const test::NameValues& variables :
       {test::NameValues{{"CONTENT_LENGTH", "12a"}},
        test::NameValues{{"CONTENT_LENGTH", "1"}, {"CONTENT_LENGTH", "2"}},
        test::NameValues{{"CONTENT_LENGTH", "18446744073709551616"}}}) {
    EXPECT_EQ(read(test::request(1, variables, "body"), {}),
              refused(1, Errc::bad_body_length) + rest);
  }
}

TEST(ServerLimits, RequestsAtOnce) {
  const Limits limits{.requests = 2};
  const std::string two = begin_record(1) + begin_record(2);
  EXPECT_EQ(read(two, limits), "wrote \n");
  EXPECT_EQ(read(two + begin_record(3), limits), refused(3, Errc::too_many_requests) + "wrote \n");
  // While the refusal is unanswered the codec itself turns more away.
  EXPECT_EQ(read(two + begin_record(3) + begin_record(4), limits),
            refused(3, Errc::too_many_requests) + "wrote " +
                test::show(test::end_record(4, 0, FCGI_OVERLOADED)) + "\n");
}

TEST(ServerLimits, EndedRequestsMakeRoom) {
  ServerCodec codec({.limits = {.requests = 1}});
  for (unsigned id = 1; id <= 65535; ++id) {
    const std::string bytes = test::request(id, {});
    Bytes left = as_bytes(bytes);
    while (!left.empty()) {
      left = left.subspan(codec.feed(left));
      for (Event event = codec.next(); event.kind != Event::Kind::none; event = codec.next()) {
        ASSERT_NE(event.kind, Event::Kind::refused);
        if (event.kind == Event::Kind::body_end) codec.end(event.id, 0);
      }
    }
    codec.output().consume(codec.output().size());
  }
  EXPECT_TRUE(codec.idle());
  EXPECT_FALSE(codec.multiplexed());
}

TEST(ServerLimits, RefusedRequestIsAnsweredLikeAnyOther) {
  ServerCodec codec({.limits = {.count = 0}});
  const std::string bytes = test::request(1, {{"A", "1"}}, "body", 0);
  Bytes left = as_bytes(bytes);
  while (!left.empty()) {
    left = left.subspan(codec.feed(left));
    for (Event event = codec.next(); event.kind != Event::Kind::none; event = codec.next()) {
      ASSERT_EQ(event.kind, Event::Kind::refused);
      ResponseHead head;
      head.status = 431;
      codec.head(event.id, head);
      codec.end(event.id, 0);
    }
  }
  EXPECT_TRUE(codec.closing());
  const std::string text = test::drain(codec.output());
  EXPECT_NE(text.find("Status: 431 Request Header Fields Too Large\r\n\r\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with(record(FCGI_STDOUT, 1, "") + test::end_record(1)));
}

}  // namespace
}  // namespace viaduct::protocol::fastcgi
