// What SCGI and uwsgi have in common: one request for each connection.

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "protocol/scgi/codec.hpp"
#include "protocol/uwsgi/codec.hpp"
#include "tests/support/scgi_bytes.hpp"
#include "tests/support/trace.hpp"
#include "tests/support/uwsgi_bytes.hpp"

namespace viaduct::protocol {
namespace {

struct Protocol {
  const char* name;
  std::function<std::unique_ptr<ServerCodec>()> make;
  std::function<std::string(const test::NameValues& variables, std::string_view body)> request;
  const char* own_variable;  // as traced
  const char* status_line;   // of 404
};

void PrintTo(const Protocol& protocol, std::ostream* to) {
  *to << protocol.name;
}

class OneRequest : public ::testing::TestWithParam<Protocol> {
 protected:
  [[nodiscard]] static std::string read(const std::string& bytes,
                                        const test::Handler& handler = {}) {
    return test::trace_at_every_split(GetParam().make, bytes, handler);
  }
  [[nodiscard]] static std::string request(const test::NameValues& variables = {},
                                           std::string_view body = "") {
    return GetParam().request(variables, body);
  }
  [[nodiscard]] static std::string request_line(std::size_t length, const std::string& rest = "") {
    const std::string size = std::to_string(length);
    return "request 1 role 1 length " + size + " CONTENT_LENGTH=" + size + GetParam().own_variable +
           rest + "\n";
  }
};

INSTANTIATE_TEST_SUITE_P(
    Server, OneRequest,
    ::testing::Values(Protocol{"scgi", [] { return std::make_unique<scgi::ServerCodec>(Limits{}); },
                               test::scgi_request, " SCGI=1", "Status: 404 Not Found"},
                      Protocol{"uwsgi",
                               [] { return std::make_unique<uwsgi::ServerCodec>(Limits{}); },
                               test::uwsgi_request, "", "HTTP/1.1 404 Not Found"}),
    [](const auto& tested) { return tested.param.name; });

TEST_P(OneRequest, WithABody) {
  EXPECT_EQ(
      read(request({{"REQUEST_METHOD", "POST"}, {"QUERY_STRING", ""}}, "What?")),
      request_line(5, " REQUEST_METHOD=POST QUERY_STRING=") + "body 1 What?\nbody_end 1\nwrote \n");
}

TEST_P(OneRequest, WithoutABody) {
  EXPECT_EQ(read(request()), request_line(0) + "body_end 1\nwrote \n");
}

TEST_P(OneRequest, BytesBehindTheBodyAreIgnored) {
  EXPECT_EQ(read(request({}, "body") + request()),
            request_line(4) + "body 1 body\nbody_end 1\nwrote \n");
}

TEST_P(OneRequest, RepeatedVariablesAreMerged) {
  EXPECT_EQ(read(request({{"HTTP_COOKIE", "a=1"}, {"HTTP_COOKIE", "b=2"}, {"HTTP_PROXY", "x"}})),
            request_line(0, " HTTP_COOKIE=a=1; b=2") + "body_end 1\nwrote \n");
}

TEST_P(OneRequest, LargeBodies) {
  for (const std::size_t size : {65535, 65536, 99000}) {
    const std::string body(size, 'b');
    EXPECT_EQ(read(request({}, body)),
              request_line(size) + "body 1 " + test::show(body) + "\nbody_end 1\nwrote \n");
  }
}

TEST_P(OneRequest, AnswersAndCloses) {
  const auto answer = [](ServerCodec& codec, const Event& event) {
    if (event.kind != Event::Kind::body_end) return;
    ResponseHead head;
    head.status = 404;
    head.fields.add("X-A", "1");
    codec.head(event.id, head);
    codec.errors(event.id, as_bytes("lost"));
    codec.body(event.id, as_bytes("body"));
    codec.end(event.id, 0);
    codec.body(event.id, as_bytes("late"));
  };
  EXPECT_EQ(read(request(), answer), request_line(0) + "body_end 1\nwrote " +
                                         GetParam().status_line +
                                         "\\x0d\\x0aX-A: 1\\x0d\\x0a\\x0d\\x0abody\nclosing\n");
}

TEST_P(OneRequest, FailureDiscardsWhatWaitsAndAsksForAReset) {
  const auto codec = GetParam().make();
  const std::string bytes = request();
  codec->feed(as_bytes(bytes));
  while (codec->next().kind != Event::Kind::none) continue;
  codec->head(1, {});
  EXPECT_FALSE(codec->reset_on_close());
  codec->fail(1);
  EXPECT_TRUE(codec->closing());
  EXPECT_TRUE(codec->reset_on_close());
  EXPECT_TRUE(codec->output().empty());
}

TEST_P(OneRequest, ShortResponseIsDeliveredAndAsksForAReset) {
  const auto codec = GetParam().make();
  const std::string bytes = request();
  codec->feed(as_bytes(bytes));
  while (codec->next().kind != Event::Kind::none) continue;
  codec->body(1, as_bytes("short"));
  codec->cut_short(1);
  EXPECT_TRUE(codec->closing());
  EXPECT_TRUE(codec->reset_on_close());
  EXPECT_EQ(codec->output().size(), 5u);
}

TEST_P(OneRequest, ResponseIsTakenBackUntilAByteOfItHasLeft) {
  const auto codec = GetParam().make();
  const std::string bytes = request();
  EXPECT_FALSE(codec->take_back(1));
  codec->feed(as_bytes(bytes));
  while (codec->next().kind != Event::Kind::none) continue;
  codec->body(1, as_bytes("first"));
  EXPECT_TRUE(codec->take_back(1));
  EXPECT_TRUE(codec->output().empty());
  EXPECT_FALSE(codec->closing());
  codec->body(1, as_bytes("second"));
  codec->output().consume(1);
  EXPECT_FALSE(codec->take_back(1));
  EXPECT_EQ(codec->output().size(), 5u);
}

TEST_P(OneRequest, CloseAfterResponseSparesWhatHasBegunToArrive) {
  const auto idle = GetParam().make();
  idle->close_after_response();
  EXPECT_TRUE(idle->closing());

  const auto codec = GetParam().make();
  const std::string bytes = request();
  codec->feed(as_bytes(bytes).first(1));
  EXPECT_FALSE(codec->idle());
  codec->close_after_response();
  EXPECT_FALSE(codec->closing());
  codec->feed(as_bytes(bytes).subspan(1));
  EXPECT_EQ(codec->next().kind, Event::Kind::request);
  EXPECT_EQ(codec->next().kind, Event::Kind::body_end);
  codec->end(1, 0);
  EXPECT_TRUE(codec->closing());
  EXPECT_FALSE(codec->multiplexed());
}

}  // namespace
}  // namespace viaduct::protocol
