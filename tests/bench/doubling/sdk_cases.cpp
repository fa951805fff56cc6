#include <viaduct/values.hpp>

#include "sdk/src/cookie_header.hpp"
#include "sdk/src/fields_access.hpp"
#include "sdk/src/files/byte_range.hpp"
#include "sdk/src/files/preconditions.hpp"
#include "sdk/src/form/disposition.hpp"
#include "sdk/src/form/multipart.hpp"
#include "sdk/src/form/urlencoded.hpp"
#include "sdk/src/route_tree.hpp"
#include "tests/bench/doubling/cases.hpp"

namespace viaduct::bench {

namespace {

using Kind = detail::MultipartEvent::Kind;

constexpr std::size_t kWhole = std::string_view::npos / 2;

struct Parts {
  std::size_t parts = 0;
  bool ended = false;
};

Parts read_multipart(std::string_view body, std::size_t size) {
  detail::MultipartParser parser("boundary", {.parts = 1U << 20, .head = 1U << 28});
  Parts seen;
  in_pieces(body, size, [&](std::string_view piece) {
    while (!piece.empty()) {
      piece.remove_prefix(parser.feed(piece));
      const detail::MultipartEvent event = parser.next();
      if (event.kind == Kind::part) ++seen.parts;
      if (event.kind == Kind::end) seen.ended = true;
      require(parser.error() == detail::MultipartError::ok);
    }
  });
  for (detail::MultipartEvent event = parser.next(); event.kind != Kind::none;
       event = parser.next()) {
    if (event.kind == Kind::end) seen.ended = true;
  }
  return seen;
}

std::string part(std::string_view fields, std::string_view content) {
  return "--boundary\r\n" + std::string(fields) + "\r\n" + std::string(content) + "\r\n";
}

void add_multipart(std::vector<Case>& cases) {
  const auto multipart = [&](const std::string& name, std::size_t least,
                             const std::function<std::string(std::size_t)>& make) {
    for (const std::size_t piece : {kWhole, std::size_t{1}}) {
      cases.push_back({"multipart: " + name + (piece == 1 ? ", byte by byte" : ""), least,
                       [=](std::size_t size) {
                         const Parts seen = read_multipart(make(size) + "--boundary--\r\n", piece);
                         require(seen.parts > 0 && seen.ended);
                       }});
    }
  };
  multipart("parts", 500, [](std::size_t n) { return repeated(part("A: b\r\n", "c"), n); });
  for (const char* const almost : {"\r\n--boundar", "\r", "\r\n", "-"}) {
    std::string shown;
    for (const char* c = almost; *c != '\0'; ++c) {
      shown += *c == '\r' ? "\\r" : *c == '\n' ? "\\n" : std::string(1, *c);
    }
    multipart("content of " + shown, 2'000,
              [almost](std::size_t n) { return part("A: b\r\n", repeated(almost, n)); });
  }
  multipart("fields of a part", 500, [](std::size_t n) {
    std::string fields;
    for (std::size_t i = 0; i < n; ++i) fields += "X-" + std::to_string(i) + ": v\r\n";
    return part(fields, "c");
  });
  multipart("a field again and again", 500,
            [](std::size_t n) { return part(repeated("X: v\r\n", n), "c"); });
  multipart("lines that continue a field", 500,
            [](std::size_t n) { return part("A: b\r\n" + repeated(" c\r\n", n), "c"); });
}

void add_forms(std::vector<Case>& cases) {
  for (const char* const pair : {"a=1&", "&", "%41", "+", "="}) {
    const std::string name = std::string("form of ") + pair;
    cases.push_back({name + ", byte by byte", 2'000, [pair](std::size_t size) {
                       detail::UrlencodedParser parser({.pairs = 1U << 28, .text = 1U << 28});
                       in_pieces(repeated(pair, size), 1,
                                 [&](std::string_view piece) { require(parser.feed(piece)); });
                       require(parser.finish());
                     }});
    cases.push_back({"query of " + name.substr(8), 2'000, [pair](std::size_t size) {
                       const Values values(repeated(pair, size), 1U << 28);
                       require(values.get("absent") == std::nullopt);
                     }});
  }
}

void add_disposition(std::vector<Case>& cases, const char* name, std::string_view from,
                     std::string_view again, std::string_view to) {
  cases.push_back({std::string("disposition: ") + name, 2'000, [=](std::size_t size) {
                     Fields headers;
                     const std::string text =
                         std::string(from) + repeated(again, size) + std::string(to);
                     detail::FieldsAccess::append(headers, "Content-Disposition", text);
                     (void)detail::read_disposition(headers);
                   }});
}

void add_fields(std::vector<Case>& cases) {
  for (const char* const piece : {"b=1; ", ";", "b", "=", "a", "\""}) {
    cases.push_back({std::string("cookies of ") + piece, 2'000, [piece](std::size_t size) {
                       require(!detail::find_cookie(repeated(piece, size), "absent"));
                     }});
  }
  for (const char* const piece : {"0-0,", " ", "9", "-"}) {
    cases.push_back({std::string("range of ") + piece, 2'000, [piece](std::size_t size) {
                       (void)detail::parse_range("bytes=" + repeated(piece, size), 100);
                     }});
  }
  for (const char* const piece : {"\"a\", ", "W/\"a\",", "\"", ",", " ", "W/"}) {
    cases.push_back({std::string("if-none-match of ") + piece, 2'000, [piece](std::size_t size) {
                       require(!detail::names_etag(repeated(piece, size), "\"b\"", true));
                     }});
  }
  const std::string_view form = "form-data; name=a; filename=\"";
  add_disposition(cases, "a file name of quoted bytes", form, "\\\"", "\"");
  add_disposition(cases, "a file name of slashes", form, "/", "\"");
  add_disposition(cases, "an encoded file name", "form-data; name=a; filename*=UTF-8''", "%41", "");
  add_disposition(cases, "parameters", "form-data; name=a", "; b=c", "");
  add_disposition(cases, "blanks", "form-data; name=a;", " ", "");
}

void add_routes(std::vector<Case>& cases) {
  for (const char* const segment : {"/a", "/%41", "/", "/.."}) {
    cases.push_back({std::string("route of ") + segment, 2'000, [segment](std::size_t size) {
                       detail::RouteTree tree;
                       const auto nothing = [](Request&, Response&) {};
                       tree.add("GET", "/a/{x}/a", nothing);
                       tree.add("GET", "/{x}/a/{y:int}", nothing);
                       std::vector<std::string> values;
                       const auto match =
                           tree.match("GET", repeated(segment, size) + "/none", values);
                       require(match.handler == nullptr);
                     }});
  }
}

}  // namespace

std::vector<Case> sdk_cases() {
  std::vector<Case> cases;
  add_multipart(cases);
  add_forms(cases);
  add_fields(cases);
  add_routes(cases);
  return cases;
}

}  // namespace viaduct::bench
