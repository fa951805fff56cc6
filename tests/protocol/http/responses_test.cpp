// What http::ServerCodec writes.

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "protocol/http/codec.hpp"
#include "tests/support/http_trace.hpp"

namespace viaduct::protocol::http {
namespace {

using Act = std::function<void(ServerCodec&)>;

struct Result {
  std::string bytes;
  bool closing;
  bool reset;
};

Result answer(const std::string& request_line, const Act& act, ServerOptions options = {}) {
  ServerCodec codec(std::move(options));
  const std::string bytes = request_line + "\r\nHost: h\r\n\r\n";
  codec.feed(as_bytes(bytes));
  while (codec.next().kind != Event::Kind::none) continue;
  act(codec);
  return {test::drain(codec.output()), codec.closing(), codec.reset_on_close()};
}

ResponseHead head(int status, std::initializer_list<Pairs::Item> fields = {}) {
  ResponseHead made;
  made.status = status;
  for (const auto& [name, value] : fields) {
    made.fields.add(name, value);
    if (name == "Content-Length") made.content_length = std::stoull(std::string(value));
  }
  return made;
}

TEST(HttpResponses, LengthOfTheHeadFramesTheBody) {
  const Result result = answer("GET / HTTP/1.1", [](ServerCodec& codec) {
    codec.head(1, head(200, {{"Content-Length", "5"}, {"X-A", "b"}}));
    codec.errors(1, as_bytes("nobody's"));
    codec.body(1, as_bytes("hel"));
    codec.body(1, as_bytes("lo, and more"));
    codec.end(1, 0);
    codec.body(1, as_bytes("late"));
  });
  EXPECT_EQ(result.bytes, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello");
  EXPECT_FALSE(result.closing);
}

TEST(HttpResponses, ResetContentHasNone) {
  for (const char* const request : {"GET / HTTP/1.1", "HEAD / HTTP/1.1"}) {
    for (const bool length : {true, false}) {
      const Result result = answer(request, [length](ServerCodec& codec) {
        codec.head(1, length ? head(205, {{"Content-Length", "5"}}) : head(205));
        codec.body(1, as_bytes("hello"));
        codec.end(1, 0);
      });
      EXPECT_EQ(result.bytes, "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n");
      EXPECT_FALSE(result.closing);
    }
  }
}

TEST(HttpResponses, UnknownLengthIsChunked) {
  const Result result = answer("GET / HTTP/1.1", [](ServerCodec& codec) {
    codec.head(1, head(200));
    codec.body(1, as_bytes("0123456789abcdef"));
    codec.body(1, {});
    codec.body(1, as_bytes("x"));
    codec.end(1, 0);
  });
  EXPECT_EQ(result.bytes,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            "10\r\n0123456789abcdef\r\n1\r\nx\r\n0\r\n\r\n");
  EXPECT_FALSE(result.closing);
}

TEST(HttpResponses, UnknownLengthEndsWithTheConnectionForHttp10) {
  const Result result = answer("GET / HTTP/1.0\r\nConnection: keep-alive", [](ServerCodec& codec) {
    codec.head(1, head(200));
    codec.body(1, as_bytes("body"));
    codec.end(1, 0);
  });
  EXPECT_EQ(result.bytes, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody");
  EXPECT_TRUE(result.closing);
  EXPECT_FALSE(result.reset);
}

TEST(HttpResponses, NoBodyWhereThereMustBeNone) {
  const struct {
    const char* request;
    int status;
    bool length_shown;
  } rows[] = {
      {"HEAD / HTTP/1.1", 200, true},
      {"GET / HTTP/1.1", 204, false},
      {"GET / HTTP/1.1", 304, true},
  };
  for (const auto& row : rows) {
    for (const bool length : {false, true}) {
      const Result result = answer(row.request, [&](ServerCodec& codec) {
        codec.head(1, length ? head(row.status, {{"Content-Length", "4"}}) : head(row.status));
        codec.body(1, as_bytes("body"));
        codec.end(1, 0);
      });
      const std::string expected =
          "HTTP/1.1 " + std::to_string(row.status) + " " + reason_phrase(row.status) + "\r\n" +
          (length && row.length_shown ? "Content-Length: 4\r\n" : "") + "\r\n";
      EXPECT_EQ(result.bytes, expected) << row.request;
      EXPECT_FALSE(result.closing);
    }
  }
}

TEST(HttpResponses, FieldsAboutTheConnectionAreTheCodecsOwn) {
  const Result result = answer("GET / HTTP/1.1", [](ServerCodec& codec) {
    codec.head(1, head(200, {{"connection", "keep-alive"},
                             {"Transfer-Encoding", "gzip"},
                             {"Upgrade", "x"},
                             {"Content-Length", "0"},
                             {"X-A", "b\r\nX-Evil: c"}}));
    codec.end(1, 0);
  });
  EXPECT_EQ(result.bytes, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: b  X-Evil: c\r\n\r\n");
}

TEST(HttpResponses, DateOfTheOwner) {
  ServerOptions options;
  options.date = [] { return "Thu, 01 Jan 1970 00:00:00 GMT"; };
  const Act nothing = [](ServerCodec& codec) {
    codec.head(1, head(204));
    codec.end(1, 0);
  };
  EXPECT_EQ(answer("GET / HTTP/1.1", nothing, options).bytes,
            "HTTP/1.1 204 No Content\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n");
  const Result own = answer(
      "GET / HTTP/1.1",
      [](ServerCodec& codec) {
        codec.head(1, head(204, {{"date", "today"}}));
        codec.end(1, 0);
      },
      options);
  EXPECT_EQ(own.bytes, "HTTP/1.1 204 No Content\r\ndate: today\r\n\r\n");
}

TEST(HttpResponses, BrokenResponsesDoNotLookComplete) {
  const struct {
    const char* name;
    const char* request;
    Act act;
    const char* bytes;
    bool reset;
  } rows[] = {
      {"chunked", "GET / HTTP/1.1",
       [](ServerCodec& codec) {
         codec.head(1, head(200));
         codec.body(1, as_bytes("x"));
         codec.fail(1);
       },
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", false},
      {"too short", "GET / HTTP/1.1",
       [](ServerCodec& codec) {
         codec.head(1, head(200, {{"Content-Length", "2"}}));
         codec.body(1, as_bytes("x"));
         codec.end(1, 0);
       },
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx", false},
      {"until close", "GET / HTTP/1.0",
       [](ServerCodec& codec) {
         codec.head(1, head(200));
         codec.body(1, as_bytes("x"));
         codec.fail(1);
       },
       "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nx", true},
      {"nothing at all", "GET / HTTP/1.1", [](ServerCodec& codec) { codec.end(1, 0); }, "", false},
  };
  for (const auto& row : rows) {
    const Result result = answer(row.request, row.act);
    EXPECT_EQ(result.bytes, row.bytes) << row.name;
    EXPECT_TRUE(result.closing) << row.name;
    EXPECT_EQ(result.reset, row.reset) << row.name;
  }
}

TEST(HttpResponses, ResponseIsTakenBackUntilAByteOfItHasLeft) {
  const Result again = answer("GET / HTTP/1.1", [](ServerCodec& codec) {
    EXPECT_FALSE(codec.take_back(1));
    codec.head(1, head(200, {{"Content-Length", "2"}}));
    codec.body(1, as_bytes("x"));
    EXPECT_TRUE(codec.take_back(1));
    codec.head(1, head(502, {{"Content-Length", "1"}}));
    codec.body(1, as_bytes("y"));
    codec.end(1, 0);
  });
  EXPECT_EQ(again.bytes, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 1\r\n\r\ny");
  EXPECT_FALSE(again.closing);
  answer("GET / HTTP/1.1", [](ServerCodec& codec) {
    codec.head(1, head(200));
    codec.output().consume(1);
    EXPECT_FALSE(codec.take_back(1));
  });
}

TEST(HttpResponses, CallsForWhatIsNotActiveAreIgnored) {
  ServerCodec codec({});
  codec.head(1, head(200));
  codec.body(1, as_bytes("x"));
  codec.end(1, 0);
  codec.fail(1);
  codec.want_body(1);
  EXPECT_TRUE(codec.output().empty());
  EXPECT_FALSE(codec.closing());
  const Result other = answer("GET / HTTP/1.1", [](ServerCodec& answered) {
    answered.head(2, head(200));
    answered.end(2, 0);
  });
  EXPECT_EQ(other.bytes, "");
}

}  // namespace
}  // namespace viaduct::protocol::http
