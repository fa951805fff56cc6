#include "protocol/http/codec.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/http_trace.hpp"

namespace viaduct::protocol::http {
namespace {

using test::answer_ok;
using test::http_trace;

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

ResponseHead status(int number) {
  ResponseHead head;
  head.status = number;
  return head;
}

std::string get(const std::string& path = "/", const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

std::string post(const std::string& fields, const std::string& body) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}

// The lines of a trace behind that of the request.
std::string behind_request(const std::string& trace) {
  return trace.substr(trace.find('\n') + 1);
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) {
    ++found;
  }
  return found;
}

TEST(HttpServer, RequestWithoutABody) {
  const std::string trace = http_trace(get());
  EXPECT_TRUE(trace.starts_with("request 1 role 1 length 0 GATEWAY_INTERFACE=CGI/1.1 ")) << trace;
  EXPECT_EQ(behind_request(trace), "body_end 1\nwrote \n");
}

TEST(HttpServer, BodyByContentLength) {
  const std::string trace = http_trace(post("Content-Length: 5\r\n", "helloX"));
  EXPECT_TRUE(trace.starts_with("request 1 role 1 length 5 ")) << trace;
  EXPECT_EQ(behind_request(trace), "body 1 hello\nbody_end 1\nwrote \n");
}

TEST(HttpServer, ChunkedBody) {
  const std::string trace = http_trace(
      post("Transfer-Encoding: Chunked\r\n", "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nA: b\r\n\r\n"));
  EXPECT_TRUE(trace.starts_with("request 1 role 1 length unknown ")) << trace;
  EXPECT_EQ(behind_request(trace), "body 1 hello\nbody_end 1\nwrote \n");
}

TEST(HttpServer, MalformedChunkAbortsTheRequestAndEndsTheConnection) {
  const std::string bytes = post("Transfer-Encoding: chunked\r\n", "3\r\nhelX") + get();
  EXPECT_EQ(behind_request(http_trace(bytes)),
            "body 1 hel\nabort 1 (chunked coding is malformed)\nwrote \n");
  const auto give_up = [](protocol::ServerCodec& codec, const Event& event) {
    if (event.kind == Event::Kind::abort) codec.end(event.id);
  };
  EXPECT_TRUE(http_trace(bytes, give_up).ends_with("wrote \nclosing\n"));
}

// What the codec reports of those bytes, cut into pieces of that size, and writes by itself.
std::string seen(const std::string& bytes, std::size_t piece, bool* closing = nullptr) {
  ServerCodec codec({});
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const std::string part = bytes.substr(at, piece);
    Bytes rest = as_bytes(part);
    while (!rest.empty()) {
      rest = rest.subspan(codec.feed(rest));
      for (Event event = codec.next(); event.kind != Event::Kind::none; event = codec.next()) {
        if (event.kind == Event::Kind::request) {
          text += std::string(*event.head->params.get("REQUEST_URI")) + ' ';
        }
        if (event.kind == Event::Kind::body_end) answer_ok(codec, event);
      }
    }
  }
  if (closing != nullptr) *closing = codec.closing();
  return text + test::drain(codec.output());
}

TEST(HttpServer, AnswersForTheServerItself) {
  const std::string options = "OPTIONS * HTTP/1.1\r\nHost: h\r\n";
  const std::string answer = "HTTP/1.1 204 No Content\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{10000}}) {
    bool closing = false;
    EXPECT_EQ(seen(options + "\r\n", piece, &closing), answer);
    EXPECT_FALSE(closing);
    EXPECT_EQ(seen(options + "\r\n" + options + "\r\n" + get("/next"), piece),
              "/next " + answer + answer + kOk);
    EXPECT_EQ(seen(get("/first") + options + "\r\n", piece), "/first " + kOk + answer);
    EXPECT_EQ(seen(options + "Content-Length: 5\r\n\r\nhello" + get("/next"), piece),
              "/next " + answer + kOk);
    EXPECT_EQ(seen(options + "Connection: close\r\n\r\n" + get("/next"), piece, &closing),
              "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(closing);
    EXPECT_EQ(seen(options + "Connection: close\r\nContent-Length: 2\r\n\r\nok" + get("/next"),
                   piece, &closing),
              "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(closing);
  }
}

// A target without path and query is what a proxy was to turn into `*` (RFC 9112 section 3.2.4).
TEST(HttpServer, OptionsOfAnAbsoluteTargetWithoutAPathAreForTheServer) {
  const std::string fields = " HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string answer = "HTTP/1.1 204 No Content\r\n\r\n";
  for (const std::string target : {"http://h", "HTTPS://h:8443", "http://[::1]:80", "*"}) {
    EXPECT_EQ(seen("OPTIONS " + target + fields + get("/next"), 7), "/next " + answer + kOk)
        << target;
  }
  EXPECT_EQ(seen("OPTIONS http://h/" + fields, 7), "/ " + kOk);
  EXPECT_EQ(seen("OPTIONS http://h?a" + fields, 7), "/?a " + kOk);
  EXPECT_EQ(seen("OPTIONS /" + fields, 7), "/ " + kOk);
  EXPECT_EQ(seen("GET http://h" + fields, 7), "/ " + kOk);
}

// The owner is to read on: closing at once would take the answer with it.
TEST(HttpServer, SaysThatABodyIsLeftUnread) {
  const auto unread = [](const std::string& bytes) {
    ServerCodec codec(ServerOptions{});
    codec.feed(as_bytes(bytes));
    EXPECT_EQ(codec.next().kind, Event::Kind::none);
    EXPECT_TRUE(codec.closing());
    return codec.unread();
  };
  const std::string options = "OPTIONS * HTTP/1.1\r\nHost: h\r\n";
  EXPECT_TRUE(unread(options + "Content-Length: 70000\r\n\r\nx"));
  EXPECT_TRUE(unread(options + "Transfer-Encoding: chunked\r\n\r\n1\r\nx"));
  EXPECT_TRUE(unread(options + "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_FALSE(unread(options + "Connection: close\r\n\r\n"));
}

TEST(HttpServer, LargeBodies) {
  for (const std::size_t size : {65535, 65536, 99000}) {
    const std::string body(size, 'b');
    EXPECT_EQ(
        behind_request(http_trace(post("Content-Length: " + std::to_string(size) + "\r\n", body))),
        "body 1 " + test::show(body) + "\nbody_end 1\nwrote \n");
  }
}

TEST(HttpServer, ConnectionServesRequestsInTurn) {
  const std::string bytes = get("/1") + post("Content-Length: 2\r\n", "ab") +
                            post("Transfer-Encoding: chunked\r\n", "1\r\nc\r\n0\r\n\r\n") + "\r\n" +
                            get("/2");
  const std::string trace = http_trace(bytes, answer_ok);
  EXPECT_EQ(count(trace, "request 1 "), 4U) << trace;
  EXPECT_EQ(count(trace, "body_end 1\n"), 4U) << trace;
  EXPECT_TRUE(trace.ends_with("wrote " + test::show(kOk + kOk + kOk + kOk) + "\n")) << trace;
}

TEST(HttpServer, LaterRequestsWaitForTheResponse) {
  const std::string trace = http_trace(get("/1") + get("/2") + "GET /3");
  EXPECT_EQ(count(trace, "request 1 "), 1U) << trace;

  ServerCodec codec({});
  const std::string bytes = get("/1") + get("/2");
  EXPECT_EQ(codec.feed(as_bytes(bytes)), bytes.size());
  EXPECT_EQ(codec.next().kind, Event::Kind::request);
  EXPECT_EQ(codec.next().kind, Event::Kind::body_end);
  EXPECT_EQ(codec.next().kind, Event::Kind::none);
  EXPECT_FALSE(codec.idle());
  codec.head(1, status(204));
  codec.end(1, 0);
  const Event second = codec.next();
  ASSERT_EQ(second.kind, Event::Kind::request);
  EXPECT_EQ(second.head->params.get("PATH_INFO"), "/2");
  EXPECT_EQ(codec.next().kind, Event::Kind::body_end);
  codec.head(1, status(204));
  codec.end(1, 0);
  EXPECT_TRUE(codec.idle());
  EXPECT_FALSE(codec.closing());
}

TEST(HttpServer, HeldInputIsLimited) {
  ServerCodec codec({});
  const std::string first = get("/1");
  codec.feed(as_bytes(first));
  while (codec.next().kind != Event::Kind::none) continue;
  const std::string later(64 * 1024 - 1, 'G');
  codec.feed(as_bytes(later));
  EXPECT_TRUE(codec.wants_input());
  codec.feed(as_bytes(later).first(1));
  EXPECT_FALSE(codec.wants_input());
  codec.head(1, status(204));
  codec.end(1, 0);
  EXPECT_EQ(codec.next().kind, Event::Kind::none);  // the method goes on and on
  EXPECT_TRUE(codec.wants_input());
}

TEST(HttpServer, ConnectionClosesWhenTheClientWants) {
  const struct {
    std::string head;
    bool stays;
  } rows[] = {
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", true},
      {"GET / HTTP/1.0\r\n\r\n", false},
      {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
  };
  for (const auto& row : rows) {
    const std::string trace = http_trace(row.head + get("/next"), answer_ok);
    EXPECT_EQ(count(trace, "request 1 "), row.stays ? 2U : 1U) << row.head;
    EXPECT_EQ(trace.ends_with("closing\n"), !row.stays) << row.head;
    EXPECT_EQ(count(trace, "Connection: close"), row.stays ? 0U : 1U) << row.head;
  }
}

TEST(HttpServer, ContinueIsSaidWhenTheOwnerWantsTheBody) {
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-Continue";
  const auto wants = [](protocol::ServerCodec& codec, const Event& event) {
    codec.want_body(event.id);
    codec.want_body(event.id);
    answer_ok(codec, event);
  };
  // When the body is there already, whether it was asked for depends on how the bytes arrived.
  ServerCodec codec({});
  const std::string bytes = head + "\r\n\r\n";
  codec.feed(as_bytes(bytes));
  wants(codec, codec.next());
  EXPECT_EQ(test::drain(codec.output()), "HTTP/1.1 100 Continue\r\n\r\n");
  codec.feed(as_bytes("ab"));
  for (Event event = codec.next(); event.kind != Event::Kind::none; event = codec.next()) {
    wants(codec, event);
  }
  EXPECT_EQ(test::drain(codec.output()), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_FALSE(codec.closing());
}

TEST(HttpServer, ContinueIsNotSaidWithoutNeed) {
  for (const std::string& head : {
           std::string("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nExpect: 100-continue"),
           std::string("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue"),
           std::string("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2"),
           std::string("POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue"),
       }) {
    EXPECT_TRUE(http_trace(head + "\r\n\r\n", [](protocol::ServerCodec& codec,
                                                 const Event& event) { codec.want_body(event.id); })
                    .ends_with("wrote \n"))
        << head;
  }
}

TEST(HttpServer, AnswerInsteadOfContinueClosesTheConnection) {
  const auto early = [](protocol::ServerCodec& codec, const Event& event) {
    if (event.kind != Event::Kind::request) return;
    codec.head(event.id, status(413));
    codec.end(event.id);
  };
  const std::string trace =
      http_trace(post("Content-Length: 2\r\nExpect: 100-continue\r\n", ""), early);
  EXPECT_NE(trace.find("Connection: close"), std::string::npos) << trace;
  EXPECT_TRUE(trace.ends_with("closing\n"));
}

TEST(HttpServer, UnreadBodiesAreSkippedUpToALimit) {
  const auto early = [](protocol::ServerCodec& codec, const Event& event) {
    if (event.kind != Event::Kind::request) return;
    codec.head(event.id, status(204));
    codec.end(event.id);
  };
  const std::string fits(64 * 1024, 'b');
  std::string trace = http_trace(post("Content-Length: 65536\r\n", fits) + get("/next"), early);
  EXPECT_EQ(count(trace, "request 1 "), 2U);
  EXPECT_EQ(count(trace, "body 1 "), 0U);
  trace = http_trace(post("Content-Length: 65537\r\n", fits + "b") + get("/next"), early);
  EXPECT_EQ(count(trace, "request 1 "), 1U);
  EXPECT_TRUE(trace.ends_with("closing\n"));
  trace = http_trace(post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n") + get("/next"), early);
  EXPECT_EQ(count(trace, "request 1 "), 1U);
  EXPECT_TRUE(trace.ends_with("closing\n"));
}

TEST(HttpServer, CloseAfterResponseSparesWhatHasBegunToArrive) {
  ServerCodec idle({});
  EXPECT_TRUE(idle.idle());
  idle.close_after_response();
  EXPECT_TRUE(idle.closing());

  ServerCodec codec({});
  const std::string bytes = get();
  codec.feed(as_bytes(bytes).first(1));
  EXPECT_FALSE(codec.idle());
  codec.close_after_response();
  EXPECT_FALSE(codec.closing());
  codec.feed(as_bytes(bytes).subspan(1));
  for (Event event = codec.next(); event.kind != Event::Kind::none; event = codec.next()) {
    answer_ok(codec, event);
  }
  EXPECT_EQ(test::drain(codec.output()),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  EXPECT_TRUE(codec.closing());
  EXPECT_FALSE(codec.multiplexed());
}

}  // namespace
}  // namespace viaduct::protocol::http
