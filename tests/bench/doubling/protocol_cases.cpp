#include "protocol/cgi_head.hpp"
#include "protocol/fastcgi/server_codec.hpp"
#include "protocol/forwarded.hpp"
#include "protocol/http/codec.hpp"
#include "protocol/proxy_header.hpp"
#include "protocol/scgi/codec.hpp"
#include "protocol/uwsgi/codec.hpp"
#include "tests/bench/doubling/cases.hpp"
#include "tests/support/fastcgi_records.hpp"
#include "tests/support/scgi_bytes.hpp"
#include "tests/support/uwsgi_bytes.hpp"

namespace viaduct::bench {

namespace {

using protocol::Errc;
using protocol::Event;

constexpr std::size_t kWhole = std::string_view::npos / 2;
// Nothing is refused: the limits are to be what bounds a size, not what hides a cost.
constexpr protocol::Limits kLimits{.params = 1U << 28,
                                   .name = 1U << 28,
                                   .value = 1U << 28,
                                   .count = 1U << 20,
                                   .requests = 1U << 20};

struct Seen {
  std::size_t requests = 0;
  std::size_t params = 0;
  std::size_t body = 0;  // bytes
  std::size_t ended = 0;
};

// Answers each request at its end.
void note(protocol::ServerCodec& codec, const Event& event, Seen& seen) {
  using Kind = Event::Kind;
  require(event.kind != Kind::refused);
  if (event.kind == Kind::request) {
    ++seen.requests;
    seen.params += event.head->params.size();
  }
  if (event.kind == Kind::body) seen.body += event.bytes.size();
  if (event.kind != Kind::body_end && event.kind != Kind::abort) return;
  ++seen.ended;
  codec.head(event.id, {});
  codec.end(event.id);
}

Seen serve(protocol::ServerCodec& codec, std::string_view bytes, std::size_t size) {
  Seen seen;
  in_pieces(bytes, size, [&](std::string_view piece) {
    while (!piece.empty()) {
      piece.remove_prefix(codec.feed(protocol::as_bytes(piece)));
      require(codec.memory() < kWhole);  // the bridge asks behind every read
      for (Event event = codec.next(); event.kind != Event::Kind::none; event = codec.next()) {
        note(codec, event, seen);
      }
      require(codec.error() == Errc::ok);
    }
  });
  return seen;
}

test::NameValues variables(std::size_t count) {
  test::NameValues result;
  for (std::size_t i = 0; i < count; ++i) result.emplace_back("HTTP_X_" + std::to_string(i), "v");
  return result;
}

std::string begin_http(std::string_view fields, std::string_view method = "GET") {
  return std::string(method) + " / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

using Make = std::function<std::string(std::size_t)>;
using Check = std::function<bool(const Seen&, std::size_t)>;

bool one_request(const Seen& seen, std::size_t) {
  return seen.requests == 1 && seen.ended == 1;
}
bool with_params(const Seen& seen, std::size_t size) {
  return one_request(seen, size) && seen.params >= size;
}
bool with_body(const Seen& seen, std::size_t size) {
  return one_request(seen, size) && seen.body == size;
}
bool many_requests(const Seen& seen, std::size_t size) {
  return seen.requests == size && seen.ended == size;
}

template <class Codec, class Options>
void add(std::vector<Case>& cases, const std::string& name, std::size_t least, const Make& make,
         const Check& check, const Options& options) {
  for (const std::size_t piece : {kWhole, std::size_t{1}}) {
    cases.push_back({name + (piece == 1 ? ", byte by byte" : ""), least, [=](std::size_t size) {
                       Codec codec(options);
                       require(check(serve(codec, make(size), piece), size));
                     }});
  }
}

// Ids of which as many as there are have the same low bits, in a table that is half full.
unsigned near_id(unsigned index, std::size_t requests) {
  unsigned places = 1;
  while (places < 2 * requests + 1) places *= 2;
  const unsigned same = 65'536 / places;
  return 1 + index / same + index % same * places;
}

void add_fastcgi(std::vector<Case>& cases) {
  protocol::fastcgi::ServerOptions options;
  options.limits = kLimits;
  const auto fastcgi = [&](const char* name, std::size_t least, const Make& make,
                           const Check& check) {
    add<protocol::fastcgi::ServerCodec>(cases, std::string("fastcgi: ") + name, least, make, check,
                                        options);
  };
  fastcgi(
      "variables", 500, [](std::size_t n) { return test::request(1, variables(n)); }, with_params);
  fastcgi(
      "one variable again and again", 500,
      [](std::size_t n) {
        return test::request(1, test::NameValues(n, {"HTTP_X", "v"}));
      },
      one_request);
  fastcgi(
      "a long value", 10'000,
      [](std::size_t n) {
        return test::request(1, {{"HTTP_X", std::string(n, 'x')}});
      },
      one_request);
  fastcgi(
      "records of one byte of variables", 2'000,
      [](std::size_t n) {
        std::string bytes = test::begin_record(1);
        for (const char c : test::pair("HTTP_X", std::string(n, 'x'))) {
          bytes += test::record(4, 1, {&c, 1});
        }
        return bytes + test::record(4, 1, "") + test::stdin_record(1, "");
      },
      one_request);
  fastcgi(
      "records of one byte of body", 2'000,
      [](std::size_t n) {
        return test::begin_record(1) + test::params_records(1, {}) +
               repeated(test::stdin_record(1, "b"), n) + test::stdin_record(1, "");
      },
      with_body);
  fastcgi(
      "requests that are all open", 1'000,
      [](std::size_t n) {
        std::string bytes;
        for (unsigned id = 1; id <= n; ++id) {
          bytes += test::begin_record(id) + test::params_records(id, {{"A", "b"}});
        }
        for (unsigned id = 1; id <= n; ++id) bytes += test::stdin_record(id, "");
        return bytes;
      },
      many_requests);
  fastcgi(
      "open requests whose ids lie together in a table", 500,
      [](std::size_t n) {
        std::string bytes;
        for (unsigned i = 0; i < n; ++i) {
          bytes += test::begin_record(near_id(i, n)) + test::params_records(near_id(i, n), {});
        }
        for (unsigned i = 0; i < n; ++i) bytes += test::stdin_record(near_id(i, n), "");
        return bytes;
      },
      many_requests);
}

void add_packets(std::vector<Case>& cases) {
  const auto scgi = [](std::size_t n) { return test::scgi_request(variables(n)); };
  add<protocol::scgi::ServerCodec>(cases, "scgi: variables", 500, scgi, with_params, kLimits);
  const auto uwsgi = [](std::size_t n) { return test::uwsgi_request(variables(n)); };
  add<protocol::uwsgi::ServerCodec>(cases, "uwsgi: variables", 500, uwsgi, with_params, kLimits);
}

void add_http(std::vector<Case>& cases) {
  protocol::http::ServerOptions options;
  options.limits = kLimits;
  const auto http = [&](const char* name, std::size_t least, const Make& make, const Check& check) {
    add<protocol::http::ServerCodec>(cases, std::string("http: ") + name, least, make, check,
                                     options);
  };
  http(
      "fields", 500,
      [](std::size_t n) {
        std::string fields;
        for (std::size_t i = 0; i < n; ++i) fields += "X-" + std::to_string(i) + ": v\r\n";
        return begin_http(fields);
      },
      with_params);
  for (const std::string field : {"X: v", "Cookie: a=1", "X-Forwarded-For: a"}) {
    http(("again and again " + field).c_str(), 500,
         [field](std::size_t n) { return begin_http(repeated(field + "\r\n", n)); }, one_request);
  }
  http(
      "a long value", 10'000,
      [](std::size_t n) { return begin_http("X: " + std::string(n, 'x') + "\r\n"); }, one_request);
  http(
      "a value of blanks", 10'000,
      [](std::size_t n) { return begin_http("X: " + std::string(n, ' ') + "x\r\n"); }, one_request);
  http(
      "a long target", 10'000,
      [](std::size_t n) {
        return "GET /" + repeated("%41", n / 3) + " HTTP/1.1\r\nHost: h\r\n\r\n";
      },
      one_request);
  http(
      "chunks of one byte", 2'000,
      [](std::size_t n) {
        return begin_http("Transfer-Encoding: chunked\r\n", "POST") + repeated("1\r\nb\r\n", n) +
               "0\r\n\r\n";
      },
      with_body);
  http(
      "requests in one piece", 500, [](std::size_t n) { return repeated(begin_http(""), n); },
      many_requests);
}

void add_proxy_header(std::vector<Case>& cases) {
  for (const std::size_t piece : {kWhole, std::size_t{1}}) {
    cases.push_back(
        {piece == 1 ? "proxy header, byte by byte" : "proxy header", 500,
         [piece](std::size_t size) {
           std::string bytes("\r\n\r\n\0\r\nQUIT\n\x21\x11", 14);
           bytes += {static_cast<char>((12 + size) >> 8), static_cast<char>((12 + size) & 0xff)};
           bytes += std::string(12 + size, '\x01');
           protocol::ProxyHeaderReader reader;
           in_pieces(bytes, piece, [&](std::string_view part) { reader.feed(part); });
           require(reader.state() != protocol::ProxyHeaderReader::State::reading);
         }});
  }
}

void add_forwarded(std::vector<Case>& cases) {
  using protocol::ForwardedSource;
  const auto forwarded = [&](const char* name, ForwardedSource source, const char* variable,
                             std::string_view element) {
    cases.push_back({name, 2'000, [=](std::size_t size) {
                       protocol::Pairs params;
                       params.add("REMOTE_ADDR", "10.0.0.1");
                       params.add(variable, repeated(element, size) + "10.0.0.2");
                       const auto rule = protocol::parse_peer_rule("10.0.0.0/8");
                       const std::vector<protocol::PeerRule> trusted{
                           std::get<protocol::PeerRule>(rule)};
                       settle_client({source, true, true, true}, trusted, true, params);
                     }});
  };
  const auto list = ForwardedSource::x_forwarded_for;
  const auto field = ForwardedSource::forwarded;
  forwarded("x-forwarded-for: addresses", list, "HTTP_X_FORWARDED_FOR", "10.0.0.3, ");
  forwarded("x-forwarded-for: commas", list, "HTTP_X_FORWARDED_FOR", ",");
  forwarded("x-forwarded-for: blanks", list, "HTTP_X_FORWARDED_FOR", " ");
  forwarded("forwarded: elements", field, "HTTP_FORWARDED", "for=10.0.0.3;host=\"a\\b\", ");
  forwarded("forwarded: quotes", field, "HTTP_FORWARDED", "for=\"");
  forwarded("forwarded: pairs", field, "HTTP_FORWARDED", "a=b;");
}

void add_responses(std::vector<Case>& cases) {
  const auto response = [&](const std::string& name, std::size_t least, const Make& make) {
    for (const std::size_t piece : {kWhole, std::size_t{1}}) {
      cases.push_back({"response: " + name + (piece == 1 ? ", byte by byte" : ""), least,
                       [=](std::size_t size) {
                         protocol::CgiHeadReader reader(1U << 28);
                         in_pieces(make(size), piece, [&](std::string_view part) {
                           require(reader.feed(protocol::as_bytes(part)) == part.size());
                         });
                         require(reader.done() && reader.error() == Errc::ok);
                       }});
    }
  };
  response("fields", 500, [](std::size_t n) {
    std::string head;
    for (std::size_t i = 0; i < n; ++i) head += "X-" + std::to_string(i) + ": v\r\n";
    return head + "\r\n";
  });
  response("one field again and again", 500,
           [](std::size_t n) { return repeated("Set-Cookie: a=1\n", n) + "\n"; });
  response("a long value", 10'000,
           [](std::size_t n) { return "X: " + std::string(n, 'x') + "\r\n\r\n"; });
}

}  // namespace

std::vector<Case> protocol_cases() {
  std::vector<Case> cases;
  add_fastcgi(cases);
  add_packets(cases);
  add_http(cases);
  add_proxy_header(cases);
  add_forwarded(cases);
  add_responses(cases);
  return cases;
}

}  // namespace viaduct::bench
