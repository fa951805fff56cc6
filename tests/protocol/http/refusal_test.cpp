// Requests that are malformed or could be read in two ways.

#include <string>

#include <gtest/gtest.h>

#include "tests/support/http_trace.hpp"

namespace viaduct::protocol::http {
namespace {

using test::http_trace;
using test::refused;

// Requests and what follows them on the connection, none of which may be served.
void expect_refused(const std::string& head, Errc error) {
  const std::string follows = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
  EXPECT_EQ(http_trace(head + follows), refused(error)) << head;
  const std::string answered = http_trace(head + follows, test::answer_ok);
  const std::string answer =
      "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
  EXPECT_TRUE(answered.ends_with("wrote " + test::show(answer) + "\nclosing\n")) << answered;
}

TEST(HttpRefusal, RequestLines) {
  for (const char* line :
       {"GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "GET / HTTP/1.x", "GET / http/1.1", " GET /",
        "G@T / HTTP/1.1", "GET / x HTTP/1.1", "GET /\x01 HTTP/1.1", "/ HTTP/1.1", "GET HTTP/1.1",
        "GET /%zz HTTP/1.1"}) {
    expect_refused(std::string(line) + "\r\nHost: h\r\n\r\n", Errc::bad_request_line);
  }
  for (const char* version : {"HTTP/2.0", "HTTP/2.2", "HTTP/0.9", "HTTP/3.0"}) {
    expect_refused("GET / " + std::string(version) + "\r\nHost: h\r\n\r\n", Errc::unknown_version);
  }
}

TEST(HttpRefusal, BytesOfAnotherProtocol) {
  expect_refused(std::string("\x16\x03\x01\x02\0\x01", 6), Errc::bare_line_end);
  expect_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Errc::unknown_version);
}

TEST(HttpRefusal, FieldLines) {
  for (const char* line :
       {"A", "A b", "A : b", ": b", "A\x7f: b", "A: b\x01", "A(: b", "A: \x7f"}) {
    expect_refused("GET / HTTP/1.1\r\nHost: h\r\n" + std::string(line) + "\r\n\r\n",
                   Errc::bad_field_line);
  }
  expect_refused("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n folded\r\n\r\n", Errc::bad_field_line);
}

TEST(HttpRefusal, BareLineEnds) {
  for (const char* head :
       {"GET / HTTP/1.1\nHost: h\n\n", "GET / HTTP/1.1\r\nHost: h\r\nA: b\nX: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nA: b\rX: y\r\n\r\n"}) {
    expect_refused(head, Errc::bare_line_end);
  }
}

TEST(HttpRefusal, AmbiguousLengths) {
  for (const char* fields : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked",
           "Transfer-Encoding: chunked\r\nContent-Length: 5",
           "Content-Length: 5\r\nContent-Length: 5",
           "Content-Length: 5\r\nContent-Length: 6",
           "Content-Length: 5, 5",
           "Content-Length: +5",
           "Content-Length: -5",
           "Content-Length: 0x5",
           "Content-Length: 5x",
           "Content-Length:",
           "Content-Length: 18446744073709551616",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
       }) {
    expect_refused("POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n\r\n",
                   Errc::ambiguous_length);
  }
  expect_refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Errc::ambiguous_length);
}

TEST(HttpRefusal, CodingsAndExpectations) {
  for (const char* coding : {"gzip", "identity", "chunked, gzip", "gzip, chunked", "xchunked",
                             "chunked;q=1", "\"chunked\"", ""}) {
    expect_refused(
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: " + std::string(coding) + "\r\n\r\n",
        Errc::unknown_coding);
  }
  expect_refused("POST / HTTP/1.1\r\nHost: h\r\nExpect: magic\r\n\r\n", Errc::unknown_expectation);
}

TEST(HttpRefusal, Hosts) {
  expect_refused("GET / HTTP/1.1\r\n\r\n", Errc::bad_host);
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Errc::bad_host);
  for (const char* host : {"a b", "a/b", "user@a", "a?b", "a#b", "a\\b", "\"a\"", "<a>"}) {
    expect_refused("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n", Errc::bad_host);
  }
}

TEST(HttpRefusal, LimitOfTheHead) {
  ServerOptions options;
  options.limits.params = 300;
  const std::string line = "GET / HTTP/1.1\r\nHost: h\r\nA: ";
  const auto head = [&](std::size_t size) {
    return line + std::string(size - line.size() - 4, 'v') + "\r\n\r\n";
  };
  // Of a head of 300 bytes the variables are larger than the limit, being more than its fields.
  EXPECT_EQ(http_trace(head(300), {}, options), refused(Errc::params_too_large));
  EXPECT_EQ(http_trace(head(301), {}, options), refused(Errc::params_too_large));
  EXPECT_EQ(http_trace("GET / HTTP/1.1\r\n" + std::string(1000, 'x'), {}, options),
            refused(Errc::params_too_large));
  EXPECT_TRUE(http_trace(head(60), {}, options).starts_with("request 1"));
}

TEST(HttpRefusal, ARefusalDoesNotTakeTheFramingOfTheRequestBefore) {
  const std::string bytes = "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nnonsense\r\n\r\n";
  const std::string answers =
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n"
      "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
  const std::string trace = http_trace(bytes, test::answer_ok);
  EXPECT_TRUE(trace.ends_with("wrote " + test::show(answers) + "\nclosing\n")) << trace;
}

}  // namespace
}  // namespace viaduct::protocol::http
