// The same request in every protocol is the same request; the same response through every encoder
// is the same answer at the client.

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "protocol/cgi_head.hpp"
#include "protocol/fastcgi/client_codec.hpp"
#include "protocol/fastcgi/server_codec.hpp"
#include "protocol/http/chunked_reader.hpp"
#include "protocol/http/codec.hpp"
#include "protocol/scgi/codec.hpp"
#include "protocol/text.hpp"
#include "protocol/uwsgi/codec.hpp"
#include "tests/support/scgi_bytes.hpp"
#include "tests/support/trace.hpp"
#include "tests/support/uwsgi_bytes.hpp"

namespace viaduct::protocol {
namespace {

using test::NameValues;

enum class Protocol { fastcgi, scgi, uwsgi, http };
constexpr Protocol kAll[] = {Protocol::fastcgi, Protocol::scgi, Protocol::uwsgi, Protocol::http};
constexpr const char* kNames[] = {"FastCGI", "SCGI", "uwsgi", "HTTP"};

std::unique_ptr<ServerCodec> make_codec(Protocol protocol) {
  switch (protocol) {
    case Protocol::fastcgi:
      return std::make_unique<fastcgi::ServerCodec>(fastcgi::ServerOptions{});
    case Protocol::scgi: {
      static const Limits limits;
      return std::make_unique<scgi::ServerCodec>(limits);
    }
    case Protocol::uwsgi: {
      static const Limits limits;
      return std::make_unique<uwsgi::ServerCodec>(limits);
    }
    case Protocol::http:
      break;
  }
  http::ServerOptions options;
  options.connection.remote_addr = "192.0.2.1";
  options.connection.server_port = "80";
  return std::make_unique<http::ServerCodec>(options);
}

// A request as an HTTP client writes it, and as a front server says it in variables.
struct Request {
  const char* name;
  std::string line;
  std::string fields;
  std::string body;
  NameValues variables;  // those of `line` and `fields`; the others are the same for all
};

NameValues all_variables(const Request& row) {
  NameValues all{{"GATEWAY_INTERFACE", "CGI/1.1"},
                 {"SERVER_SOFTWARE", "viaduct"},
                 {"SERVER_PROTOCOL", "HTTP/1.1"},
                 {"SERVER_NAME", "example.org"},
                 {"SERVER_PORT", "80"},
                 {"REMOTE_ADDR", "192.0.2.1"},
                 {"REQUEST_SCHEME", "http"},
                 {"SCRIPT_NAME", ""},
                 {"HTTP_HOST", "example.org"}};
  all.insert(all.end(), row.variables.begin(), row.variables.end());
  return all;
}

std::string fastcgi_request(const NameValues& variables, std::string_view body) {
  std::string bytes = test::begin_record(1) + test::params_records(1, variables);
  for (; !body.empty(); body.remove_prefix(std::min<std::size_t>(body.size(), 65535))) {
    bytes += test::stdin_record(1, body.substr(0, 65535), body.size() % 256);
  }
  return bytes + test::stdin_record(1, "");
}

std::string encode(Protocol protocol, const Request& row) {
  NameValues all = all_variables(row);
  const std::string length = std::to_string(row.body.size());
  switch (protocol) {
    case Protocol::fastcgi:
      if (!row.body.empty()) all.emplace_back("CONTENT_LENGTH", length);
      return fastcgi_request(all, row.body);
    case Protocol::scgi:
      return test::scgi_request(all, row.body);
    case Protocol::uwsgi:
      return test::uwsgi_request(all, row.body);
    case Protocol::http:
      break;
  }
  return row.line + " HTTP/1.1\r\nHost: example.org\r\n" + row.fields +
         (row.body.empty() ? "" : "Content-Length: " + length + "\r\n") + "\r\n" + row.body;
}

// What an application sees, in an order of its own. An empty body needs no length (RFC 3875 4.1.2),
// but SCGI always has one, and the mark of SCGI belongs to its framing.
std::map<std::string, std::string> seen(Protocol protocol, const std::string& bytes) {
  std::map<std::string, std::string> result;
  std::string body;
  const auto codec = make_codec(protocol);
  test::trace(*codec, {bytes}, [&](ServerCodec&, const Event& event) {
    if (event.kind == Event::Kind::request) {
      for (const auto [name, value] : event.head->params) result.emplace(name, test::show(value));
      if (event.head->content_length.value_or(0) == 0) result.erase("CONTENT_LENGTH");
      result.erase("SCGI");
    } else if (event.kind == Event::Kind::body) {
      body += as_text(event.bytes);
    } else {
      EXPECT_EQ(event.kind, Event::Kind::body_end) << "neither refused nor aborted";
      result["(end)"] += ".";
    }
  });
  if (!body.empty()) result["(body)"] = test::show(body);
  return result;
}

const std::string kLong(20'000, 'l');

std::vector<Request> requests() {
  const auto target = [](const std::string& method, const std::string& path,
                         const std::string& query, const std::string& decoded) {
    return NameValues{{"REQUEST_METHOD", method},
                      {"REQUEST_URI", query.empty() ? path : path + "?" + query},
                      {"PATH_INFO", decoded},
                      {"QUERY_STRING", query}};
  };
  const auto with = [](NameValues all, const NameValues& more) {
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const std::string binary("\0\r\n\xff,1:x\x01\x05", 10);
  return {
      {"get", "GET /a", "", "", target("GET", "/a", "", "/a")},
      {"query", "GET /?a=b%20c&d", "", "", target("GET", "/", "a=b%20c&d", "/")},
      {"post", "POST /up", "Content-Type: text/plain\r\n", "hello",
       with(target("POST", "/up", "", "/up"), {{"CONTENT_TYPE", "text/plain"}})},
      {"body that looks like framing", "PUT /", "", binary, target("PUT", "/", "", "/")},
      {"body of 65535", "POST /", "", std::string(65535, 'b'), target("POST", "/", "", "/")},
      {"body of 65536", "POST /", "", std::string(65536, 'b'), target("POST", "/", "", "/")},
      {"body of 200000", "POST /", "", std::string(200'000, 'b'), target("POST", "/", "", "/")},
      {"empty value", "GET /", "X-Empty:\r\n", "",
       with(target("GET", "/", "", "/"), {{"HTTP_X_EMPTY", ""}})},
      {"odd names", "GET /", "X-1-2: a\r\n9: b\r\nx--y: c\r\n", "",
       with(target("GET", "/", "", "/"),
            {{"HTTP_X_1_2", "a"}, {"HTTP_9", "b"}, {"HTTP_X__Y", "c"}})},
      {"non-ASCII", "GET /%C3%BC", "X-Name: \xc3\xbc\xff\r\n", "",
       with(target("GET", "/%C3%BC", "", "/\xc3\xbc"), {{"HTTP_X_NAME", "\xc3\xbc\xff"}})},
      {"long", "GET /" + kLong, "X-Long: " + kLong + "\r\n", "",
       with(target("GET", "/" + kLong, "", "/" + kLong), {{"HTTP_X_LONG", kLong}})},
      {"lengths at 127 and 128", "GET /",
       "X: " + std::string(127, 'v') + "\r\nY: " + std::string(128, 'v') + "\r\n", "",
       with(target("GET", "/", "", "/"),
            {{"HTTP_X", std::string(127, 'v')}, {"HTTP_Y", std::string(128, 'v')}})},
      {"repeated", "GET /", "Cookie: a=1\r\nX: 1\r\nCookie: b=2\r\nX: 2\r\n", "",
       with(target("GET", "/", "", "/"),
            {{"HTTP_COOKIE", "a=1"}, {"HTTP_X", "1"}, {"HTTP_COOKIE", "b=2"}, {"HTTP_X", "2"}})},
      {"httpoxy", "GET /", "Proxy: evil\r\n", "",
       with(target("GET", "/", "", "/"), {{"HTTP_PROXY", "evil"}})},
      {"encoded line end", "DELETE /a%0d%0ab", "", "",
       target("DELETE", "/a%0d%0ab", "", "/a\r\nb")},
  };
}

TEST(Differential, TheSameRequestInEveryProtocol) {
  for (const Request& row : requests()) {
    SCOPED_TRACE(row.name);
    std::map<std::string, std::string> expected{{"(end)", "."}};
    for (const auto& [name, value] : all_variables(row)) {
      if (name == "HTTP_PROXY") continue;
      std::string& merged = expected[name];
      if (!merged.empty()) merged += name == "HTTP_COOKIE" ? "; " : ", ";
      merged += value;
    }
    if (!row.body.empty()) {
      expected["CONTENT_LENGTH"] = std::to_string(row.body.size());
      expected["(body)"] = row.body;
    }
    for (auto& [name, value] : expected) value = test::show(value);
    for (const Protocol protocol : kAll) {
      EXPECT_EQ(seen(protocol, encode(protocol, row)), expected)
          << kNames[static_cast<int>(protocol)];
    }
  }
}

// A response as a client of the front server gets it.
struct Answer {
  int status = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool operator==(const Answer&) const = default;
};

std::string cgi_response(const std::string& bytes) {
  fastcgi::ClientCodec client;
  client.begin(1, Role::responder, true);
  std::string output;
  bool ended = false;
  for (Bytes rest = as_bytes(bytes); !rest.empty();) {
    rest = rest.subspan(client.feed(rest));
    for (auto event = client.next(); event.kind != fastcgi::ClientEvent::Kind::none;
         event = client.next()) {
      if (event.kind == fastcgi::ClientEvent::Kind::output) output += as_text(event.bytes);
      ended = ended || event.kind == fastcgi::ClientEvent::Kind::end;
    }
  }
  EXPECT_TRUE(ended);
  return output;
}

std::string unchunked(std::string_view body) {
  http::ChunkedReader reader;
  std::string content;
  while (!body.empty() && !reader.done() && reader.error() == Errc::ok) {
    const auto piece = reader.feed(body);
    content += piece.content;
    body.remove_prefix(piece.taken);
  }
  EXPECT_TRUE(reader.done() && body.empty());
  return content;
}

Answer decode(Protocol protocol, const std::string& bytes) {
  const std::string text = protocol == Protocol::fastcgi ? cgi_response(bytes) : bytes;
  Answer answer;
  const std::size_t end = text.find("\r\n\r\n");
  EXPECT_NE(end, std::string::npos);
  answer.body = text.substr(end + 4);
  std::string_view head = std::string_view(text).substr(0, end + 2);
  const bool http = protocol == Protocol::uwsgi || protocol == Protocol::http;
  bool status = false;
  for (; !head.empty(); head.remove_prefix(head.find("\r\n") + 2)) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::string_view before = http ? "HTTP/1.1 " : "Status: ";
    if (line.starts_with(before)) {
      EXPECT_FALSE(std::exchange(status, true));
      answer.status = std::atoi(std::string(line.substr(before.size(), 3)).c_str());
      answer.reason = line.substr(before.size() + 4);
      continue;
    }
    EXPECT_TRUE(status || !http) << line;
    const std::string_view name = line.substr(0, line.find(':'));
    if (name == "Transfer-Encoding") {
      answer.body = unchunked(answer.body);
      continue;
    }
    answer.fields.emplace_back(name, trim(line.substr(name.size() + 1)));
  }
  return answer;
}

std::string encode(Protocol protocol, const Answer& answer) {
  static const Request kGet{"", "GET /", "", "", {{"REQUEST_METHOD", "GET"}}};
  ResponseHead head;
  head.status = answer.status;
  head.reason = answer.reason;
  for (const auto& [name, value] : answer.fields) {
    head.fields.add(name, value);
    if (name == "Content-Length") head.content_length = parse_decimal(value);
  }
  const auto codec = make_codec(protocol);
  std::string bytes;
  const auto respond = [&](ServerCodec& server, const Event& event) {
    if (event.kind != Event::Kind::body_end) return;
    server.head(event.id, head);
    for (std::size_t at = 0; at < answer.body.size(); at += 30'000) {
      server.body(event.id, as_bytes(std::string_view(answer.body).substr(at, 30'000)));
    }
    server.end(event.id);
    server.output().settle();
    bytes += test::drain(server.output());
  };
  test::trace(*codec, {encode(protocol, kGet)}, respond);
  return bytes;
}

TEST(Differential, TheSameResponseThroughEveryEncoder) {
  const std::string body(100'000, 'b');
  const Answer rows[] = {
      {200, "OK", {{"Content-Type", "text/plain"}, {"Content-Length", "5"}}, "hello"},
      {200, "OK", {{"Content-Type", "text/plain"}}, "of unknown length"},
      {200, "OK", {{"Content-Type", "text/plain"}}, ""},
      {200, "OK", {{"Content-Length", "100000"}}, body},
      {200, "OK", {{"X", "y"}}, body},
      {204, "No Content", {{"X", "y"}}, ""},
      {304, "Not Modified", {{"ETag", "\"1\""}}, ""},
      {302, "Found", {{"Location", "http://example.org/a?b#c"}}, ""},
      {404, "No such thing", {{"Content-Length", "2"}}, "no"},
      {500, "Internal Server Error", {{"Content-Type", "text/html"}}, "<h1>500</h1>\r\n\r\n"},
      {599, "Odd", {{"X", "y"}}, "x"},
      {200, "OK", {{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}, {"set-cookie", "c=3"}}, "x"},
      {200, "OK", {{"X-Empty", ""}, {"X-!#$%&'*+.^_`|~", "odd name"}}, "x"},
      {200, "OK", {{"X-Name", "\xc3\xbc\xff"}}, std::string("\0\r\n0\r\n\r\n", 8)},
      {200, "OK", {{"X-Long", kLong}, {"X-Longer", kLong + kLong}}, "x"},
  };
  for (const Answer& row : rows) {
    SCOPED_TRACE(std::to_string(row.status) + " " + row.fields.front().first);
    for (const Protocol protocol : kAll) {
      const Answer got = decode(protocol, encode(protocol, row));
      EXPECT_TRUE(got == row) << kNames[static_cast<int>(protocol)] << ": " << got.status << " "
                              << got.reason << ", " << got.fields.size() << " fields, body of "
                              << got.body.size();
    }
  }
}

}  // namespace
}  // namespace viaduct::protocol
