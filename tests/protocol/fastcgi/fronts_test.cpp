// Requests in the shape in which real front servers were seen to send them: record sizes, padding,
// flags, order and variables.

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "protocol/fastcgi/server_codec.hpp"
#include "tests/support/fastcgi_records.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

using test::begin_record;
using test::pairs;
using test::params_records;
using test::record;
using test::show;
using test::stdin_record;

std::string read(const std::string& bytes, const test::Handler& handler = {}) {
  return test::trace_at_every_split([] { return std::make_unique<ServerCodec>(ServerOptions{}); },
                                    bytes, handler);
}

// Answers when the body is complete, with nothing but the end.
void end_with_body(protocol::ServerCodec& codec, const Event& event) {
  if (event.kind == Event::Kind::body_end) codec.end(event.id, 0);
}
std::string ended(unsigned id) {
  return record(FCGI_STDOUT, id, "") + test::end_record(id);
}

// One PARAMS record padded to 8, no FCGI_KEEP_CONN, empty CONTENT_LENGTH, HTTP_PROXY passed on and
// repeated fields as repeated variables.
TEST(Fronts, NginxGet) {
  const test::NameValues seen{
      {"CONTENT_LENGTH", ""},    {"HTTP_COOKIE", "a=1"},       {"HTTP_COOKIE", "b=2"},
      {"HTTP_PROXY", "evil"},    {"HTTP_X_A_B", "2"},          {"HTTP_X_A_B", "3"},
      {"PATH_INFO", "/a b/d/e"}, {"QUERY_STRING", "x=1&m=ok"}, {"SCRIPT_NAME", "/app.fcgi"}};
  EXPECT_EQ(read(test::request(1, seen, "", 0), end_with_body),
            "request 1 role 1 length unknown CONTENT_LENGTH= HTTP_COOKIE=a=1; b=2 HTTP_X_A_B=2, 3 "
            "PATH_INFO=/a b/d/e QUERY_STRING=x=1&m=ok SCRIPT_NAME=/app.fcgi\nbody_end 1\nwrote " +
                show(ended(1)) + "\nclosing\n");
}

// 32 KiB STDIN records, the last one padded.
TEST(Fronts, NginxUpload) {
  const std::string body(65500, 'u');
  EXPECT_EQ(read(begin_record(1, 1, 0) + params_records(1, {{"CONTENT_LENGTH", "65500"}}) +
                 stdin_record(1, body.substr(0, 32768)) + stdin_record(1, body.substr(32768), 4) +
                 stdin_record(1, "")),
            "request 1 role 1 length 65500 CONTENT_LENGTH=65500\nbody 1 " + show(body) +
                "\nbody_end 1\nwrote \n");
}

// Many variables come in several records of at most 16 KiB; no variable crosses them.
TEST(Fronts, ApacheLongHeaders) {
  std::string bytes = begin_record(1, 1, 0);
  std::string expected = "request 1 role 1 length unknown";
  for (const char* name : {"HTTP_A", "HTTP_B", "HTTP_C"}) {
    const std::string value(16000, name[5]);
    bytes += record(FCGI_PARAMS, 1, pairs({{name, value}}));
    expected += std::string(" ") + name + "=" + show(value);
  }
  bytes += record(FCGI_PARAMS, 1, pairs({{"SCRIPT_FILENAME", "proxy:fcgi://localhost/a b"}}));
  EXPECT_EQ(read(bytes + record(FCGI_PARAMS, 1, "") + stdin_record(1, "")),
            expected + " SCRIPT_FILENAME=proxy:fcgi://localhost/a b\nbody_end 1\nwrote \n");
}

// An authorizer request without any STDIN record.
TEST(Fronts, ApacheAuthorizer) {
  EXPECT_EQ(read(begin_record(1, FCGI_AUTHORIZER) +
                     params_records(1, {{"FCGI_APACHE_ROLE", "AUTHENTICATOR"}}),
                 end_with_body),
            "request 1 role 2 length unknown FCGI_APACHE_ROLE=AUTHENTICATOR\nbody_end 1\nwrote " +
                show(ended(1)) + "\n");
}

// CONTENT_LENGTH -1, variables in random order, and two empty STDIN records behind a body of a
// multiple of 65500 bytes.
TEST(Fronts, CaddyChunkedUpload) {
  const std::string body(65500, 'c');
  EXPECT_EQ(read(begin_record(1, 1, 0) +
                     params_records(1, {{"REMOTE_IDENT", ""},
                                        {"CONTENT_LENGTH", "-1"},
                                        {"HTTP_PROXY", "evil"},
                                        {"PATH_INFO", "/a b//c/../d+e"}}) +
                     stdin_record(1, body, 4) + stdin_record(1, "") + stdin_record(1, ""),
                 end_with_body),
            "request 1 role 1 length unknown REMOTE_IDENT= "
            "PATH_INFO=/a b//c/../d+e\nbody 1 " +
                show(body) + "\nbody_end 1\nwrote " + show(ended(1)) + "\nclosing\n");
}

// The authorizer of lighttpd sends an empty STDIN; its headers that differ only in punctuation
// become the same variable twice.
TEST(Fronts, LighttpdAuthorizer) {
  EXPECT_EQ(
      read(begin_record(1, FCGI_AUTHORIZER, 0) +
           params_records(1, {{"HTTP_X_A_B", "1"}, {"HTTP_X_A_B", "2, 3"}}) + stdin_record(1, "")),
      "request 1 role 2 length unknown HTTP_X_A_B=1, 2, 3\nbody_end 1\nwrote \n");
}

// H2O 2.2.5: no padding, no FCGI_KEEP_CONN, no GATEWAY_INTERFACE, cookies joined by ";" without a
// blank, HTTP_PROXY passed on, an empty SCRIPT_NAME and a decoded PATH_INFO.
TEST(Fronts, H2oGet) {
  EXPECT_EQ(read(begin_record(1, FCGI_RESPONDER, 0) +
                     record(FCGI_PARAMS, 1,
                            pairs({{"SCRIPT_NAME", ""},
                                   {"PATH_INFO", "/a b/d"},
                                   {"QUERY_STRING", "x=1"},
                                   {"REQUEST_METHOD", "GET"},
                                   {"REQUEST_URI", "/a%20b/d?x=1"},
                                   {"HTTP_PROXY", "evil"},
                                   {"HTTP_X_A_B", "3"},
                                   {"HTTP_COOKIE", "a=1;b=2"}})) +
                     record(FCGI_PARAMS, 1, "") + record(FCGI_STDIN, 1, ""),
                 end_with_body),
            "request 1 role 1 length unknown SCRIPT_NAME= PATH_INFO=/a b/d QUERY_STRING=x=1 "
            "REQUEST_METHOD=GET REQUEST_URI=/a%20b/d?x=1 HTTP_X_A_B=3 HTTP_COOKIE=a=1;b=2\n"
            "body_end 1\nwrote " +
                show(ended(1)) + "\nclosing\n");
}

// It gathers what comes in chunks, and sends records of the greatest length.
TEST(Fronts, H2oUpload) {
  const std::string body(100'000, 'o');
  EXPECT_EQ(read(begin_record(1, FCGI_RESPONDER, 0) +
                     record(FCGI_PARAMS, 1, pairs({{"CONTENT_LENGTH", "100000"}})) +
                     record(FCGI_PARAMS, 1, "") + record(FCGI_STDIN, 1, body.substr(0, 65'535)) +
                     record(FCGI_STDIN, 1, body.substr(65'535)) + record(FCGI_STDIN, 1, ""),
                 end_with_body),
            "request 1 role 1 length 100000 CONTENT_LENGTH=100000\nbody 1 " + show(body) +
                "\nbody_end 1\nwrote " + show(ended(1)) + "\nclosing\n");
}

// OpenBSD httpd, as its first versions' source writes it: no padding, no FCGI_KEEP_CONN, neither
// CONTENT_LENGTH nor PATH_INFO, and every field as HTTP_*, in whose names all that is no letter,
// digits included, is an underscore, so that different fields meet in one variable.
TEST(Fronts, OpenBsdHttpdGet) {
  EXPECT_EQ(read(begin_record(1, FCGI_RESPONDER, 0) +
                     record(FCGI_PARAMS, 1,
                            pairs({{"SCRIPT_NAME", "/cgi/x"},
                                   {"SCRIPT_FILENAME", "/htdocs/cgi/x"},
                                   {"DOCUMENT_URI", "/cgi/x"},
                                   {"GATEWAY_INTERFACE", "CGI/1.1"},
                                   {"HTTP_X_ID_", "1"},
                                   {"HTTP_X_ID_", "2"},
                                   {"HTTP_CONTENT_LENGTH", "5"},
                                   {"HTTP_PROXY", "evil"},
                                   {"REQUEST_METHOD", "GET"},
                                   {"REQUEST_URI", "/cgi/x"},
                                   {"SERVER_SOFTWARE", "OpenBSD httpd"}})) +
                     record(FCGI_PARAMS, 1, "") + record(FCGI_STDIN, 1, ""),
                 end_with_body),
            "request 1 role 1 length unknown SCRIPT_NAME=/cgi/x SCRIPT_FILENAME=/htdocs/cgi/x "
            "DOCUMENT_URI=/cgi/x GATEWAY_INTERFACE=CGI/1.1 HTTP_X_ID_=1, 2 HTTP_CONTENT_LENGTH=5 "
            "REQUEST_METHOD=GET REQUEST_URI=/cgi/x SERVER_SOFTWARE=OpenBSD httpd\n"
            "body_end 1\nwrote " +
                show(ended(1)) + "\nclosing\n");
}

// Questions first, then odd ids on a kept connection.
TEST(Fronts, HaproxyKeepsTheConnection) {
  const std::string questions = test::get_values({{"FCGI_MAX_REQS", ""}, {"FCGI_MPXS_CONNS", ""}});
  std::string output = test::padded_record(
      FCGI_GET_VALUES_RESULT, 0, pairs({{"FCGI_MAX_REQS", "1"}, {"FCGI_MPXS_CONNS", "1"}}));
  std::string bytes = questions;
  std::string expected;
  for (const unsigned id : {1u, 3u, 5u}) {
    bytes += test::request(id, {{"CONTENT_LENGTH", "0"}});
    const std::string text = std::to_string(id);
    expected += "request " + text + " role 1 length 0 CONTENT_LENGTH=0\nbody_end " + text + "\n";
    output += ended(id);
  }
  EXPECT_EQ(read(bytes, end_with_body), expected + "wrote " + show(output) + "\n");
}

// Its client left: ABORT before the end of STDIN; nothing else follows for that id.
TEST(Fronts, HaproxyAbortsDuringAnUpload) {
  const auto end_aborted = [](protocol::ServerCodec& codec, const Event& event) {
    if (event.kind == Event::Kind::abort) codec.end(event.id, 0);
  };
  EXPECT_EQ(read(begin_record(31) + params_records(31, {{"CONTENT_LENGTH", "1000000"}}) +
                     stdin_record(31, std::string(16320, 'h')) + test::abort_record(31) +
                     test::request(33, {}),
                 end_aborted),
            "request 31 role 1 length 1000000 CONTENT_LENGTH=1000000\nbody 31 " +
                show(std::string(16320, 'h')) +
                "\nabort 31\nrequest 33 role 1 length unknown\nbody_end 33\nwrote " +
                show(ended(31)) + "\n");
}

// The rest of an upload arrives although the answer is complete; the next request is not disturbed.
TEST(Fronts, EarlyAnswerDuringAnUpload) {
  const auto answer_at_once = [](protocol::ServerCodec& codec, const Event& event) {
    if (event.kind == Event::Kind::request) codec.end(event.id, 0);
  };
  std::string bytes = begin_record(19) + params_records(19, {{"CONTENT_LENGTH", "65280"}});
  for (int i = 0; i < 4; ++i) bytes += stdin_record(19, std::string(16320, 'h'));
  EXPECT_EQ(read(bytes + stdin_record(19, "") + test::request(21, {}), answer_at_once),
            "request 19 role 1 length 65280 CONTENT_LENGTH=65280\n"
            "request 21 role 1 length unknown\nwrote " +
                show(ended(19) + ended(21)) + "\n");
}

}  // namespace
}  // namespace viaduct::protocol::fastcgi
