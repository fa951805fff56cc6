// Names that collide: under a hash whose key everybody knows, by the parser's own shortcuts, or
// because they are equal.
#include <map>

#include <viaduct/values.hpp>

#include "protocol/fastcgi/server_codec.hpp"
#include "protocol/http/codec.hpp"
#include "protocol/keyed_hash.hpp"
#include "protocol/scgi/codec.hpp"
#include "protocol/uwsgi/codec.hpp"
#include "protocol/variables.hpp"
#include "sdk/src/cookie_header.hpp"
#include "sdk/src/form/parameters.hpp"
#include "sdk/src/form/urlencoded.hpp"
#include "tests/bench/doubling/cases.hpp"
#include "tests/support/colliding_names.hpp"
#include "tests/support/fastcgi_records.hpp"
#include "tests/support/scgi_bytes.hpp"
#include "tests/support/uwsgi_bytes.hpp"

namespace viaduct::bench {

namespace {

constexpr std::size_t kLeast = 250;
constexpr protocol::Limits kLimits{.params = 1U << 28,
                                   .name = 1U << 28,
                                   .value = 1U << 28,
                                   .count = 1U << 20,
                                   .requests = 1U << 20};

// Enough for the greatest size, in tables of every size on the way. Made once: finding them costs
// more than parsing them.
const std::vector<std::string>& colliding() {
  static const std::vector<std::string> names =
      test::colliding_names("HTTP_", 4 * kLeast, protocol::HashKey{}, 16 * kLeast);
  return names;
}

// Names that end alike and are equally long, which is what tells the first ones apart.
std::vector<std::string> alike(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back("HTTP_" + std::to_string(1'000'000 + i) + "_ENDS_ALIKE");
  }
  return names;
}

using Names = std::function<std::vector<std::string>(std::size_t)>;

std::vector<std::pair<std::string, Names>> kinds() {
  return {{"names that collide",
           [](std::size_t n) {
             return std::vector(colliding().begin(),
                                colliding().begin() + static_cast<std::ptrdiff_t>(n));
           }},
          {"names that end alike", alike},
          {"equal names", [](std::size_t n) { return std::vector(n, std::string("HTTP_X")); }}};
}

test::NameValues with_values(const std::vector<std::string>& names) {
  test::NameValues variables;
  for (const std::string& name : names) variables.emplace_back(name, "v");
  return variables;
}

// X-A of HTTP_X_A: what a client sends.
std::string as_fields(const std::vector<std::string>& names) {
  std::string fields;
  for (const std::string& name : names) {
    std::string field = name.substr(5);
    for (char& c : field) c = c == '_' ? '-' : c;
    fields += field + ": v\r\n";
  }
  return "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

template <class Codec, class Options>
std::function<std::size_t(std::string_view)> server(const Options& options) {
  return [options](std::string_view bytes) {
    Codec codec(options);
    std::size_t taken = 0;
    while (taken < bytes.size()) {
      taken += codec.feed(protocol::as_bytes(bytes.substr(taken)));
      for (auto event = codec.next(); event.kind != protocol::Event::Kind::none;
           event = codec.next()) {
        require(event.kind != protocol::Event::Kind::refused);
        if (event.kind == protocol::Event::Kind::request) return event.head->params.size();
      }
    }
    return std::size_t{0};
  };
}

void add_servers(std::vector<Case>& cases, const std::string& kind, const Names& names) {
  const auto serves = [&](const char* protocol,
                          const std::function<std::string(const std::vector<std::string>&)>& write,
                          const std::function<std::size_t(std::string_view)>& params) {
    cases.push_back({std::string(protocol) + ": " + kind, kLeast,
                     [=](std::size_t size) { require(params(write(names(size))) > 0); }});
  };
  protocol::fastcgi::ServerOptions fastcgi;
  fastcgi.limits = kLimits;
  protocol::http::ServerOptions http;
  http.limits = kLimits;
  serves(
      "fastcgi", [](const auto& n) { return test::request(1, with_values(n)); },
      server<protocol::fastcgi::ServerCodec>(fastcgi));
  serves(
      "scgi", [](const auto& n) { return test::scgi_request(with_values(n)); },
      server<protocol::scgi::ServerCodec>(kLimits));
  serves(
      "uwsgi", [](const auto& n) { return test::uwsgi_request(with_values(n)); },
      server<protocol::uwsgi::ServerCodec>(kLimits));
  serves("http", as_fields, server<protocol::http::ServerCodec>(http));
  http.odd_names = protocol::http::OddNames::keep;
  serves(
      "http with odd names",
      [](const auto& n) {
        std::vector<std::string> odd = n;
        for (std::string& name : odd) name += ".X";
        return as_fields(odd);
      },
      server<protocol::http::ServerCodec>(http));
}

// What an application looks up goes through a list once.
void add_values(std::vector<Case>& cases, const std::string& kind, const Names& names) {
  const auto joined = [names](std::size_t size, const char* between) {
    std::string text;
    for (const std::string& name : names(size)) text += name + "=v" + between;
    return text;
  };
  cases.push_back({"query: " + kind, kLeast, [=](std::size_t size) {
                     const Values values(joined(size, "&"), 1U << 28);
                     require(values.items().size() == size && !values.get("absent"));
                   }});
  cases.push_back({"form: " + kind, kLeast, [=](std::size_t size) {
                     detail::UrlencodedParser parser({.pairs = 1U << 28, .text = 1U << 28});
                     require(parser.feed(joined(size, "&")) && parser.finish());
                     require(parser.pairs().size() == size);
                   }});
  cases.push_back({"cookies: " + kind, kLeast, [=](std::size_t size) {
                     require(!detail::find_cookie(joined(size, "; "), "absent"));
                   }});
  cases.push_back({"parameters of a type: " + kind, kLeast, [=](std::size_t size) {
                     (void)detail::parse_parameters("a/b; " + joined(size, "; ") + "z=v");
                   }});
}

}  // namespace

std::vector<Case> name_cases() {
  std::vector<Case> cases;
  for (const auto& [kind, names] : kinds()) {
    add_servers(cases, kind, names);
    add_values(cases, kind, names);
  }
  return cases;
}

}  // namespace viaduct::bench
