// From a request head to CGI variables.

#include <string>

#include <gtest/gtest.h>

#include "protocol/http/request_head.hpp"

namespace viaduct::protocol::http {
namespace {

const Limits kLimits;

// The variables, one `NAME=value` per line, from `first` on; or what is wrong.
std::string variables(const std::string& head_text, const std::string& first = "REQUEST_METHOD",
                      const ConnectionInfo& connection = {}, OddNames odd = OddNames::drop) {
  WireHead head;
  Errc error = parse_head(head_text, head);
  Variables collected(kLimits);
  std::uint32_t dropped = 0;
  if (error == Errc::ok) error = add_variables(head, connection, odd, collected, dropped);
  RequestHead request;
  if (error == Errc::ok) error = collected.finish(request);
  if (error != Errc::ok) return describe(error);
  std::string text;
  for (const auto [name, value] : request.params) {
    if (name == first || !text.empty()) text.append(name).append("=").append(value).append("\n");
  }
  return text;
}

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

TEST(HttpVariables, AllOfARequest) {
  const ConnectionInfo connection{.remote_addr = "192.0.2.1",
                                  .remote_port = "4711",
                                  .server_addr = "192.0.2.2",
                                  .server_port = "8080"};
  EXPECT_EQ(variables("POST /a%20b/c?x=1&y HTTP/1.1\r\nHost: example.org:9\r\nContent-Length: 3\r\n"
                      "Content-Type: text/plain\r\nUser-Agent: t\r\n\r\n",
                      "GATEWAY_INTERFACE", connection),
            "GATEWAY_INTERFACE=CGI/1.1\nSERVER_SOFTWARE=viaduct\nSERVER_PROTOCOL=HTTP/1.1\n"
            "SERVER_NAME=example.org\nSERVER_PORT=8080\nSERVER_ADDR=192.0.2.2\n"
            "REMOTE_ADDR=192.0.2.1\nREMOTE_PORT=4711\nREQUEST_METHOD=POST\nREQUEST_SCHEME=http\n"
            "REQUEST_URI=/a%20b/c?x=1&y\nSCRIPT_NAME=\nPATH_INFO=/a b/c\nQUERY_STRING=x=1&y\n"
            "HTTP_HOST=example.org:9\nCONTENT_LENGTH=3\nCONTENT_TYPE=text/plain\n"
            "HTTP_USER_AGENT=t\n");
}

TEST(HttpVariables, ServerNameAndPortOfHost) {
  const struct {
    const char* host;
    const char* scheme;
    const char* expected;
  } rows[] = {
      {"example.org", "http", "SERVER_NAME=example.org\nSERVER_PORT=80\n"},
      {"example.org", "https", "SERVER_NAME=example.org\nSERVER_PORT=443\n"},
      {"example.org:81", "http", "SERVER_NAME=example.org\nSERVER_PORT=81\n"},
      {"[::1]:81", "http", "SERVER_NAME=[::1]\nSERVER_PORT=81\n"},
      {"[::1]", "http", "SERVER_NAME=[::1]\nSERVER_PORT=80\n"},
      {"", "http", "SERVER_NAME=localhost\nSERVER_PORT=80\n"},
  };
  for (const auto& row : rows) {
    const std::string text =
        variables("GET / HTTP/1.1\r\nHost: " + std::string(row.host) + "\r\n\r\n", "SERVER_NAME",
                  {.scheme = row.scheme});
    EXPECT_TRUE(text.starts_with(row.expected)) << row.host << ":\n" << text;
  }
  EXPECT_TRUE(variables("GET / HTTP/1.0\r\n\r\n", "SERVER_NAME", {.server_addr = "192.0.2.2"})
                  .starts_with("SERVER_NAME=192.0.2.2\n"));
}

TEST(HttpVariables, Targets) {
  const struct {
    const char* target;
    const char* expected;
  } rows[] = {
      {"/", "PATH_INFO=/\nQUERY_STRING=\nHTTP_HOST=h\n"},
      {"/?", "PATH_INFO=/\nQUERY_STRING=\nHTTP_HOST=h\n"},
      {"/a%2Fb//../c", "PATH_INFO=/a/b//../c\nQUERY_STRING=\nHTTP_HOST=h\n"},
      {"/%C3%BC?%C3%BC", "PATH_INFO=/\xc3\xbc\nQUERY_STRING=%C3%BC\nHTTP_HOST=h\n"},
      {"/a%0ab", "PATH_INFO=/a\nb\nQUERY_STRING=\nHTTP_HOST=h\n"},
      {"http://other:1/p?q", "PATH_INFO=/p\nQUERY_STRING=q\nHTTP_HOST=other:1\n"},
      {"HTTPS://other?q", "PATH_INFO=/\nQUERY_STRING=q\nHTTP_HOST=other\n"},
      {"/a%", "request line is malformed"},
      {"/a%2", "request line is malformed"},
      {"/a%2x", "request line is malformed"},
      {"/a%00b", "variable value has NUL in it"},
      {"a", "request line is malformed"},
      {"*", "request line is malformed"},
      {"/a#b", "request line is malformed"},
      {"ftp://other/", "request line is malformed"},
      {"http:///p", "request line is malformed"},
      {"http://user@other/", "request line is malformed"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(variables(get(row.target), "PATH_INFO"), row.expected) << row.target;
  }
  EXPECT_EQ(variables("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "REQUEST_URI"),
            "REQUEST_URI=*\nSCRIPT_NAME=\nPATH_INFO=\nQUERY_STRING=\nHTTP_HOST=h\n");
  EXPECT_EQ(variables("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n"), "request line is malformed");
}

TEST(HttpVariables, AbsoluteTargetsAreSeenAsPathAndQueryOfTheirHost) {
  const struct {
    const char* target;
    const char* uri;
    const char* host;
  } rows[] = {
      {"http://other.org/zz?x=1", "/zz?x=1", "other.org"},
      {"http://other.org", "/", "other.org"},
      {"http://other.org/", "/", "other.org"},
      {"http://other.org?x=1", "/?x=1", "other.org"},
      {"http://other.org?", "/?", "other.org"},
      {"HTTPS://other.org:8443/a%20b//c", "/a%20b//c", "other.org:8443"},
      {"http://other.org//evil", "//evil", "other.org"},
      {"/zz?x=http://other.org/", "/zz?x=http://other.org/", "h"},
  };
  for (const auto& row : rows) {
    const std::string all = variables(get(row.target), "REQUEST_URI");
    EXPECT_TRUE(all.starts_with("REQUEST_URI=" + std::string(row.uri) + "\n")) << all;
    EXPECT_TRUE(all.ends_with("\nHTTP_HOST=" + std::string(row.host) + "\n")) << all;
  }
}

TEST(HttpVariables, LaterMinorVersionsAreServedAsHttp11) {
  for (const char digit : std::string("23456789")) {
    const std::string head = std::string("GET /x HTTP/1.") + digit + "\r\nHost: h\r\nA: b\r\n\r\n";
    WireHead wire;
    ASSERT_EQ(parse_head(head, wire), Errc::ok) << digit;
    EXPECT_TRUE(wire.http11);
    EXPECT_TRUE(wire.keep_alive);
    EXPECT_EQ(variables(head, "SERVER_PROTOCOL").substr(0, 25), "SERVER_PROTOCOL=HTTP/1.1\n");
    EXPECT_EQ(variables(head, "HTTP_HOST"), "HTTP_HOST=h\nHTTP_A=b\n");
  }
  EXPECT_EQ(variables("GET / HTTP/1.2\r\n\r\n"), describe(Errc::bad_host));
}

TEST(HttpVariables, NamesThatCouldMeanAnotherFieldAreLeftOut) {
  EXPECT_EQ(variables(get("/",
                          "X-Real: 1\r\nX_Real: 2\r\nContent_Length: 3\r\nX.Y: 4\r\n"
                          "Proxy: http://evil\r\nx-REAL: 5\r\nX9: 6\r\nEmpty:\r\n"),
                      "HTTP_HOST"),
            "HTTP_HOST=h\nHTTP_X_REAL=1, 5\nHTTP_X9=6\nHTTP_EMPTY=\n");
}

TEST(HttpVariables, OddNamesAreKeptWhereTheyPassForNoOtherField) {
  struct Row {
    const char* fields;
    const char* kept;
    std::uint32_t dropped;
  };
  const Row rows[] = {
      {"X_User: a\r\n", "HTTP_X_USER=a\n", 0},
      {"x.user: a\r\nX$User: b\r\n", "HTTP_X_USER=a, b\n", 0},
      {"X_User: a\r\nA: b\r\n", "HTTP_A=b\nHTTP_X_USER=a\n", 0},
      {"X_User: a\r\nX-User: b\r\n", "HTTP_X_USER=b\n", 1},
      {"X-User: b\r\nX_User: a\r\nX.User: c\r\n", "HTTP_X_USER=b\n", 2},
      {"X-A-B: b\r\nX-A_B: a\r\n", "HTTP_X_A_B=b\n", 1},
      {"Content_Length: 7\r\nContent.Type: a\r\nContent_Encoding: gzip\r\n", "", 3},
      {"Proxy_Authorization: a\r\nProxy_Connection: a\r\n", "", 2},
      {"X_Forwarded_For: a\r\nX-Forwarded_Proto: a\r\nX_Real_IP: a\r\n", "", 3},
      {"Front_End_Https: on\r\nX.Forwarded.Host: a\r\n", "", 2},
      {"Transfer_Encoding: chunked\r\n", "", 0},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(variables(get("/", row.fields), "HTTP_HOST", {}, OddNames::keep),
              std::string("HTTP_HOST=h\n") + row.kept)
        << row.fields;
    WireHead head;
    const std::string text = get("/", row.fields);
    ASSERT_EQ(parse_head(text, head), Errc::ok);
    std::uint32_t dropped = 99;
    Variables keeping(kLimits);
    EXPECT_EQ(add_variables(head, {}, OddNames::keep, keeping, dropped), Errc::ok);
    EXPECT_EQ(dropped, row.dropped) << row.fields;
  }
}

TEST(HttpVariables, OddNamesThatAreDroppedAreCounted) {
  const std::string text = get("/", "X_A: 1\r\nX-B: 2\r\nX.C: 3\r\n");
  WireHead head;
  ASSERT_EQ(parse_head(text, head), Errc::ok);
  std::uint32_t dropped = 0;
  Variables collected(kLimits);
  EXPECT_EQ(add_variables(head, {}, OddNames::drop, collected, dropped), Errc::ok);
  EXPECT_EQ(dropped, 2u);
}

TEST(HttpVariables, RepeatedFieldsAreMerged) {
  EXPECT_EQ(variables(get("/", "Cookie: a=1\r\nCookie: b=2\r\nAccept: x\r\naccept: y\r\n"),
                      "HTTP_COOKIE"),
            "HTTP_COOKIE=a=1; b=2\nHTTP_ACCEPT=x, y\n");
}

TEST(HttpVariables, TransferEncodingDoesNotReachTheApplication) {
  EXPECT_EQ(variables(get("/", "Transfer-Encoding: chunked\r\nTE: trailers\r\n"), "HTTP_HOST"),
            "HTTP_HOST=h\nHTTP_TE=trailers\n");
}

TEST(HttpVariables, LimitsHold) {
  const auto add = [](const std::string& text, const Limits& limits) {
    WireHead head;
    EXPECT_EQ(parse_head(text, head), Errc::ok);
    Variables collected(limits);
    std::uint32_t dropped = 0;
    return add_variables(head, {}, OddNames::drop, collected, dropped);
  };
  Limits limits;
  limits.count = 14;  // 12 that every request has, Host, and the field
  EXPECT_EQ(add(get("/", "A: b\r\n"), limits), Errc::ok);
  limits.count = 13;
  EXPECT_EQ(add(get("/", "A: b\r\n"), limits), Errc::too_many_params);
  limits = {};
  limits.value = 9;  // of localhost
  EXPECT_EQ(add(get("/12345678"), limits), Errc::ok);
  EXPECT_EQ(add(get("/123456789"), limits), Errc::param_value_too_long);
  limits = {};
  limits.name = 17;  // GATEWAY_INTERFACE
  EXPECT_EQ(add(get("/", "Twelve-Bytes: b\r\n"), limits), Errc::ok);
  EXPECT_EQ(add(get("/", "Thirteen-Long: b\r\n"), limits), Errc::param_name_too_long);
}

}  // namespace
}  // namespace viaduct::protocol::http
