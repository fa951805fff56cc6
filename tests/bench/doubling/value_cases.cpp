// Values that an application or a log takes from a request: JSON, lists in header fields, dates,
// credentials, sessions, lines of logs.
#include <cstdlib>

#include <viaduct/json.hpp>

#include "daemon/log/escape.hpp"
#include "daemon/master/crash_report.hpp"
#include "daemon/master/line_splitter.hpp"
#include "sdk/src/base64.hpp"
#include "sdk/src/fields_access.hpp"
#include "sdk/src/files/byte_range.hpp"
#include "sdk/src/files/http_date.hpp"
#include "sdk/src/files/preconditions.hpp"
#include "sdk/src/form/parameters.hpp"
#include "sdk/src/session_cookie.hpp"
#include "tests/bench/doubling/cases.hpp"

namespace viaduct::bench {

namespace {

void add(std::vector<Case>& cases, const std::string& name, std::size_t least,
         const std::function<void(std::size_t)>& run) {
  cases.push_back({name, least, run});
}

// What Boost.JSON's tables compute of a name, from the address of the table.
std::uint64_t json_hash(std::string_view name, std::uint64_t address) {
  std::uint64_t hash = 0xcbf29ce484222325 + address;
  for (const char c : name) hash = (static_cast<std::uint64_t>(c) ^ hash) * 0x100000001b3;
  return hash;
}

// Memory that lies where the C library puts large pieces of it: 16 bytes behind the beginning of a
// page.
class Pages final : public boost::json::memory_resource {
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kHead = 16;

  void* do_allocate(std::size_t bytes, std::size_t /*align*/) override {
    const std::size_t pages = (bytes + kHead + kPage - 1) / kPage;
    return static_cast<char*>(std::aligned_alloc(kPage, pages * kPage)) + kHead;
  }
  void do_deallocate(void* memory, std::size_t /*bytes*/, std::size_t /*align*/) override {
    std::free(static_cast<char*>(memory) - kHead);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

// Members whose names fall into one bucket of a table with `count` buckets, a power of two up to
// 4096, in Pages.
std::string colliding_members(std::size_t count) {
  std::string text;
  std::size_t found = 0;
  for (std::size_t i = 0; found < count; ++i) {
    std::string name;
    for (std::size_t rest = i, digits = 0; digits < 4; ++digits, rest /= 64) {
      name += static_cast<char>('0' + rest % 64);
    }
    if (name.find('\\') != std::string::npos || (json_hash(name, 16) & (count - 1)) != 0) continue;
    text += (found++ == 0 ? "\"" : ",\"") + name + "\":0";
  }
  return text;
}

void add_json(std::vector<Case>& cases) {
  const auto json = [&](const std::string& name, std::size_t least,
                        const std::function<std::string(std::size_t)>& make) {
    add(cases, "json: " + name, least,
        [=](std::size_t size) { require(!detail::parse_json(make(size), 1U << 20).is_null()); });
  };
  json("members", 1'000, [](std::size_t n) {
    std::string text = "{\"a\":0";
    for (std::size_t i = 0; i < n; ++i) text += ",\"m" + std::to_string(i) + "\":0";
    return text + "}";
  });
  json("one member again and again", 1'000,
       [](std::size_t n) { return "{" + repeated("\"a\":0,", n) + "\"a\":1}"; });
  json("objects", 1'000, [](std::size_t n) { return "[" + repeated("{\"a\":[]},", n) + "0]"; });
  json("a string of escapes", 2'000,
       [](std::size_t n) { return "\"" + repeated("\\u00e4", n) + "\""; });
  json("a string of surrogates", 2'000,
       [](std::size_t n) { return "\"" + repeated("\\ud83d\\ude00", n) + "\""; });
  json("a name of escapes", 2'000,
       [](std::size_t n) { return "{\"" + repeated("\\n", n) + "\":0}"; });
  json("a number of digits", 2'000, [](std::size_t n) { return std::string(n, '9'); });
  json("a fraction of digits", 2'000, [](std::size_t n) { return "0." + std::string(n, '9'); });
  json("an exponent of zeros", 2'000,
       [](std::size_t n) { return "1e" + std::string(n, '0') + "1"; });
  json("blanks", 2'000, [](std::size_t n) { return std::string(n, ' ') + "0"; });
  // Each object has as many members as one may have.
  add(cases, "json: objects of names that collide", 2, [](std::size_t size) {
    static const std::string object = "{" + colliding_members(detail::kMostMembers) + "},";
    static Pages pages;
    const std::string text = "[" + repeated(object, size) + "0]";
    const auto value = detail::parse_json(text, detail::kMostMembers, &pages);
    require(value.as_array().size() == size + 1);
  });
}

void add_lists(std::vector<Case>& cases) {
  // Repeated fields, each a list.
  for (const char* const field : {"If-None-Match", "If-Match"}) {
    add(cases, std::string("fields of ") + field, 500, [field](std::size_t size) {
      Fields request;
      for (std::size_t i = 0; i < size; ++i) {
        detail::FieldsAccess::append(request, field, "\"a\", W/\"b\"");
      }
      const auto met = detail::evaluate(request, {.etag = "\"c\"", .modified = 0});
      require(met == (std::string_view(field) == "If-Match" ? detail::Precondition::failed
                                                            : detail::Precondition::met));
    });
    add(cases, std::string("one long ") + field, 2'000, [field](std::size_t size) {
      Fields request;
      detail::FieldsAccess::append(request, field, "\"" + std::string(size, 'x') + "\", \"y\"");
      (void)detail::evaluate(request, {.etag = "\"c\"", .modified = 0});
    });
  }
  for (const char* const piece : {"bytes=0-1,", "0-1, ", ",", "bytes="}) {
    add(cases, std::string("if-range and range of ") + piece, 2'000, [piece](std::size_t size) {
      Fields request;
      detail::FieldsAccess::append(request, "If-Range", repeated(piece, size));
      require(!detail::range_applies(request, {.etag = "\"c\"", .modified = 1}));
      (void)detail::parse_range(repeated(piece, size), 100);
    });
  }
  for (const char* const piece : {"Sun, ", " ", "0", "Sun, 06 Nov 1994 08:49:37 GMT"}) {
    add(cases, std::string("date of ") + piece, 2'000,
        [piece](std::size_t size) { require(!detail::parse_http_date(repeated(piece, size))); });
  }
  // Distinct names: a repeated one ends the reading.
  for (const char* const value : {"v", "\"v\"", ""}) {
    add(cases, std::string("parameters with values of ") + value, 250, [value](std::size_t size) {
      std::string text = "multipart/form-data";
      for (std::size_t i = 0; i < size; ++i) {
        text += "; n" + std::to_string(i) + '=' + value;
      }
      (void)detail::parse_parameters(text);
    });
  }
  add(cases, "credentials in base64", 2'000, [](std::size_t size) {
    require(detail::base64_decode(repeated("YWFh", size))->size() == 3 * size);
  });
}

// A session's cookie that its own application has signed, and one that nobody has.
void add_sessions(std::vector<Case>& cases) {
  const std::string key(32, 'k');
  add(cases, "session of many values", 500, [key](std::size_t size) {
    detail::SessionContent content{};
    for (std::size_t i = 0; i < size; ++i) content.items.emplace_back("n" + std::to_string(i), "v");
    const std::string text = detail::sign_session("s", key, content);
    require(detail::verify_session("s", {key}, text)->items.size() == size);
  });
  for (const char* const piece : {"A", ".", "A."}) {
    add(cases, std::string("forged session of ") + piece, 2'000, [=](std::size_t size) {
      require(!detail::verify_session("s", {key}, repeated(piece, size)));
    });
  }
}

void add_output(std::vector<Case>& cases) {
  for (const char* const text : {"x", "\n", "\r", "line\r\n"}) {
    add(cases, "master: a worker writes " + daemon::log::escape(text), 10'000,
        [text](std::size_t size) {
          daemon::master::LineSplitter lines;
          daemon::master::CrashNotes notes;
          const auto sink = [&](std::string_view line) { notes.take(line); };
          in_pieces(repeated(text, size), 1,
                    [&](std::string_view piece) { lines.feed(piece, sink); });
          lines.finish(sink);
          require(notes.lines().empty());
        });
  }
}

void add_lines(std::vector<Case>& cases) {
  for (const char* const piece : {"a", "\x01", "\\", "\xff", "\xc3\xa4", "\xe2\x80", "\""}) {
    std::string shown = daemon::log::escape(piece);
    add(cases, "log line of " + shown, 2'000, [piece](std::size_t size) {
      const std::string text = repeated(piece, size);
      require(!daemon::log::escape(text).empty());
      require(!daemon::log::escape_controls(text).empty());
      require(!daemon::log::escape_json_controls(text).empty());
      require(!daemon::log::escape_invalid_utf8(text).empty());
    });
  }
}

}  // namespace

std::vector<Case> value_cases() {
  std::vector<Case> cases;
  add_json(cases);
  add_lists(cases);
  add_sessions(cases);
  add_output(cases);
  add_lines(cases);
  return cases;
}

}  // namespace viaduct::bench
