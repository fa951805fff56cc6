// What the server side writes.

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "protocol/fastcgi/server_codec.hpp"
#include "tests/support/fastcgi_records.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

using test::begin_record;
using test::end_record;
using test::padded_record;
using test::params_records;
using test::record;
using test::show;

const std::string kBroken("\0\0\0\1\0\0\0\0", 8);

class ServerResponses : public testing::Test {
 protected:
  void feed(const std::string& bytes) {
    for (Bytes left = as_bytes(bytes); !left.empty();) {
      left = left.subspan(codec_.feed(left));
      while (codec_.next().kind != Event::Kind::none) {
      }
    }
    ASSERT_EQ(codec_.error(), Errc::ok);
  }
  // A request whose head is complete.
  void start(unsigned id, unsigned flags = 1) {
    feed(begin_record(id, 1, flags) + params_records(id, {}));
  }
  void head(RequestId id) { codec_.head(id, head_); }
  void body(RequestId id, const std::string& text) {
    codec_.body(id, as_bytes(text));
    codec_.output().settle();
  }
  std::string sent() { return show(test::drain(codec_.output())); }

  ServerCodec codec_{{}};
  ResponseHead head_;
  const std::string head_text_ = "Status: 200 OK\r\n\r\n";
};

TEST_F(ServerResponses, HeadAndSmallBodyShareOneRecord) {
  start(1);
  head(1);
  body(1, "hello");
  codec_.end(1, 0);
  EXPECT_EQ(sent(),
            show(padded_record(6, 1, head_text_ + "hello") + record(6, 1, "") + end_record(1)));
  EXPECT_FALSE(codec_.closing());
  EXPECT_TRUE(codec_.idle());
}

TEST_F(ServerResponses, LargeBodyIsNotCopied) {
  start(1);
  head(1);
  const std::string text(100000, 'b');
  codec_.body(1, as_bytes(text));
  std::array<Bytes, 8> pieces;
  const std::size_t filled = codec_.output().gather(pieces);
  std::size_t borrowed = 0;
  for (std::size_t i = 0; i < filled; ++i) {
    const auto* data = reinterpret_cast<const char*>(pieces[i].data());
    if (data >= text.data() && data < text.data() + text.size()) borrowed += pieces[i].size();
  }
  EXPECT_EQ(borrowed, text.size());
}

TEST_F(ServerResponses, LargeHeadIsCopied) {
  start(1);
  const std::string value(20000, 'v');
  head_.fields.add("X", value);
  head(1);
  const std::string expected = "Status: 200 OK\r\nX: " + value + "\r\n\r\n";
  ResponseHead other;
  start(2);
  codec_.head(2, other);
  EXPECT_EQ(sent(), show(padded_record(6, 1, expected) + padded_record(6, 2, head_text_)));
}

TEST_F(ServerResponses, EndWithoutOutputStillEndsTheStream) {
  start(1);
  codec_.end(1, 0x01020304);
  EXPECT_EQ(sent(), show(record(6, 1, "") + end_record(1, 0x01020304)));
}

TEST_F(ServerResponses, ErrorsEndWithAnEmptyRecord) {
  start(1);
  head(1);
  codec_.errors(1, as_bytes("oops"));
  codec_.errors(1, as_bytes(""));
  body(1, "x");
  codec_.end(1, 0);
  EXPECT_EQ(sent(),
            show(padded_record(6, 1, head_text_) + padded_record(7, 1, "oops") +
                 padded_record(6, 1, "x") + record(7, 1, "") + record(6, 1, "") + end_record(1)));
}

TEST_F(ServerResponses, WithoutKeepConnTheConnectionCloses) {
  start(1, 0);
  head(1);
  EXPECT_FALSE(codec_.closing());
  codec_.end(1, 0);
  EXPECT_TRUE(codec_.closing());
  feed(test::request(2, {}));
  EXPECT_EQ(sent(), show(padded_record(6, 1, head_text_) + record(6, 1, "") + end_record(1)));
}

TEST_F(ServerResponses, UnknownFlagBitsAreIgnored) {
  start(1, 0xff);
  codec_.end(1, 0);
  EXPECT_FALSE(codec_.closing());
  start(2, 0xfe);
  codec_.end(2, 0);
  EXPECT_TRUE(codec_.closing());
}

TEST_F(ServerResponses, OtherRequestsEndBeforeTheConnectionCloses) {
  start(1, 0);
  start(2);
  codec_.end(1, 0);
  EXPECT_FALSE(codec_.closing());
  codec_.end(2, 0);
  EXPECT_TRUE(codec_.closing());
}

TEST_F(ServerResponses, CloseAfterResponse) {
  start(1);
  codec_.close_after_response();
  EXPECT_FALSE(codec_.closing());
  codec_.end(1, 0);
  EXPECT_TRUE(codec_.closing());
}

TEST_F(ServerResponses, CloseWhenIdleIsAtOnceButSparesWhatHasBegunToArrive) {
  feed(begin_record(1).substr(0, 5));
  codec_.close_after_response();
  EXPECT_FALSE(codec_.closing());
  feed(begin_record(1).substr(5) + params_records(1, {}));
  EXPECT_FALSE(codec_.closing());
  codec_.end(1, 0);
  EXPECT_TRUE(codec_.closing());

  ServerCodec idle({});
  idle.close_after_response();
  EXPECT_TRUE(idle.closing());
}

TEST_F(ServerResponses, AnswersForOtherIdsAreIgnored) {
  head(1);
  body(1, "x");
  codec_.errors(1, as_bytes("x"));
  codec_.end(1, 0);
  codec_.fail(1);
  codec_.overloaded(1);
  feed(begin_record(1));  // its head is not complete
  head(1);
  codec_.end(1, 0);
  codec_.fail(1);
  EXPECT_EQ(sent(), "");
  feed(params_records(1, {}));
  codec_.end(1, 0);
  codec_.end(1, 0);
  body(1, "x");
  EXPECT_EQ(sent(), show(record(6, 1, "") + end_record(1)));
}

TEST_F(ServerResponses, AbortedRequestIsEndedByTheOwner) {
  start(1);
  feed(test::abort_record(1));
  EXPECT_FALSE(codec_.idle());
  codec_.end(1, 5);
  EXPECT_EQ(sent(), show(record(6, 1, "") + end_record(1, 5)));
  EXPECT_TRUE(codec_.idle());
}

TEST_F(ServerResponses, FailureBreaksTheFramingOfASingleRequest) {
  start(1);
  head(1);
  codec_.fail(1);
  EXPECT_EQ(sent(), show(padded_record(6, 1, head_text_) + kBroken));
  EXPECT_TRUE(codec_.closing());
  codec_.end(1, 0);
  feed(test::request(2, {}));
  EXPECT_EQ(sent(), "");
}

TEST_F(ServerResponses, FailureWaitsForTheOtherRequestsOfTheConnection) {
  start(1);
  start(2);
  head(1);
  codec_.fail(1);
  EXPECT_EQ(sent(), show(padded_record(6, 1, head_text_)));
  body(1, "too late");
  codec_.end(1, 0);
  codec_.fail(1);
  feed(test::stdin_record(1, "ignored"));
  start(3);
  EXPECT_EQ(sent(), "");
  EXPECT_FALSE(codec_.closing() || codec_.idle());
  codec_.end(2, 0);
  EXPECT_EQ(sent(), show(record(6, 2, "") + end_record(2)));
  EXPECT_FALSE(codec_.closing());
  // Two that failed are broken by one record.
  codec_.fail(3);
  EXPECT_EQ(sent(), show(kBroken));
  EXPECT_TRUE(codec_.closing());
}

TEST_F(ServerResponses, FailureWaitsForARequestWhoseHeadIsIncomplete) {
  start(1);
  feed(test::begin_record(2, 1, 1));
  codec_.fail(1);
  EXPECT_FALSE(codec_.closing());
  feed(test::abort_record(2));
  EXPECT_EQ(sent(), show(end_record(2) + kBroken));
  EXPECT_TRUE(codec_.closing());
}

TEST_F(ServerResponses, FailedRequestThatIsAbortedEnds) {
  start(1);
  start(2);
  codec_.fail(1);
  feed(test::abort_record(1));
  EXPECT_EQ(sent(), show(end_record(1, 1)));
  codec_.end(2, 0);
  EXPECT_EQ(sent(), show(record(6, 2, "") + end_record(2)));
  EXPECT_TRUE(!codec_.closing() && codec_.idle());
  // Its id is free.
  start(1);
  codec_.end(1, 0);
  EXPECT_EQ(sent(), show(record(6, 1, "") + end_record(1)));
}

TEST_F(ServerResponses, FailedRequestsCountTowardsTheLimit) {
  ServerOptions options;
  options.limits.requests = 3;
  ServerCodec codec(options);
  std::vector<Event::Kind> kinds;
  const auto begin = [&](RequestId id) {
    const std::string bytes = test::request(id, {});
    for (protocol::Bytes left = as_bytes(bytes); !left.empty();) {
      left = left.subspan(codec.feed(left));
      while (true) {
        const Event event = codec.next();
        if (event.kind == Event::Kind::none) break;
        if (event.kind != Event::Kind::body_end) kinds.push_back(event.kind);
      }
    }
  };
  for (const RequestId id : {1, 2, 3}) begin(id);
  codec.fail(1);
  codec.fail(2);
  begin(4);
  EXPECT_EQ(kinds, (std::vector{Event::Kind::request, Event::Kind::request, Event::Kind::request,
                                Event::Kind::refused}));
}

TEST_F(ServerResponses, FailureOnALinkEndsThatRequestOnly) {
  ServerCodec codec({.window = 65536});
  const std::string bytes =
      test::get_values({{"VIADUCT_WINDOW", "65536"}}) + test::request(1, {}) + test::request(2, {});
  for (protocol::Bytes left = as_bytes(bytes); !left.empty();) {
    left = left.subspan(codec.feed(left));
    while (codec.next().kind != Event::Kind::none) continue;
  }
  test::drain(codec.output());
  codec.fail(1);
  EXPECT_EQ(show(test::drain(codec.output())), show(end_record(1, 1)));
  codec.fail(2);
  EXPECT_EQ(show(test::drain(codec.output())), show(end_record(2, 1)));
  EXPECT_FALSE(codec.closing());
}

TEST_F(ServerResponses, ShortResponseEndsAsItsFrontNoticesIt) {
  const struct {
    const char* software;
    bool ends;
  } rows[] = {{"nginx/1.22.1", true},   {"NGINX", true},
              {"openresty/1.25", true}, {"Angie/1.4", true},
              {"Apache/2.4.71", false}, {"Caddy/2.6.2", false},
              {"lighttpd/1.4", false},  {"HAProxy 2.6.12", false},
              {"nginxlike/1", false},   {"", false}};
  for (const auto& row : rows) {
    ServerCodec codec({});
    const std::string bytes =
        begin_record(1, 1, 0) + params_records(1, {{"SERVER_SOFTWARE", row.software}});
    for (protocol::Bytes left = as_bytes(bytes); !left.empty();) {
      left = left.subspan(codec.feed(left));
      while (codec.next().kind != Event::Kind::none) continue;
    }
    codec.body(1, as_bytes("12345678"));
    codec.cut_short(1);
    const std::string end = row.ends ? end_record(1, 1) : std::string(kBroken);
    EXPECT_EQ(show(test::drain(codec.output())), show(record(6, 1, "12345678") + end))
        << row.software;
    EXPECT_TRUE(codec.closing()) << row.software;
  }
}

TEST_F(ServerResponses, ResponseIsTakenBackUntilAByteOfItHasLeft) {
  start(1);
  codec_.errors(1, as_bytes("lost"));
  head(1);
  body(1, "first");
  EXPECT_TRUE(codec_.take_back(1));
  body(1, "12345678");
  codec_.end(1, 0);
  EXPECT_EQ(sent(), show(record(6, 1, "12345678") + record(6, 1, "") + end_record(1)));
  start(2);
  body(2, "12345678");
  codec_.output().consume(1);
  EXPECT_FALSE(codec_.take_back(2));
  EXPECT_FALSE(codec_.take_back(3));
}

TEST_F(ServerResponses, ResponseIsTakenBackBehindErrorsThatHaveLeft) {
  start(1);
  codec_.errors(1, as_bytes("12345678"));
  EXPECT_EQ(sent(), show(record(7, 1, "12345678")));
  head(1);
  body(1, "first");
  EXPECT_TRUE(codec_.take_back(1));
  body(1, "87654321");
  codec_.end(1, 0);
  EXPECT_EQ(sent(),
            show(record(6, 1, "87654321") + record(7, 1, "") + record(6, 1, "") + end_record(1)));
  start(2);
  codec_.errors(2, as_bytes("12345678"));
  codec_.output().consume(1);
  head(2);
  EXPECT_FALSE(codec_.take_back(2)) << "a record has left in part";
}

TEST_F(ServerResponses, ResponsesBesideOthersAreNotTakenBack) {
  start(1);
  start(2);
  body(1, "one");
  EXPECT_FALSE(codec_.take_back(1));
}

TEST_F(ServerResponses, OverloadedIsAnEndWithoutOutput) {
  start(1);
  codec_.overloaded(1);
  EXPECT_EQ(sent(), show(end_record(1, 0, FCGI_OVERLOADED)));
  EXPECT_TRUE(codec_.idle());
}

TEST_F(ServerResponses, InterleavedResponses) {
  start(1);
  start(2);
  head(1);
  head(2);
  body(1, "one");
  body(2, "two");
  codec_.end(2, 0);
  codec_.end(1, 0);
  EXPECT_EQ(sent(), show(padded_record(6, 1, head_text_) + padded_record(6, 2, head_text_) +
                         padded_record(6, 1, "one") + padded_record(6, 2, "two") +
                         record(6, 2, "") + end_record(2) + record(6, 1, "") + end_record(1)));
}

}  // namespace
}  // namespace viaduct::protocol::fastcgi
