#include <charconv>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "daemon/log/escape.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::log {

namespace {

template <class Number>
void append_number(std::string& out, Number number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.append(digits, end);
}

bool needs_quotes(std::string_view text) {
  return text.empty() || text.find_first_of(" \"=") != std::string_view::npos;
}

void append_quoted(std::string& out, std::string_view escaped) {
  out += '"';
  for (const char c : escaped) {
    if (c == '"') out += '\\';
    out += c;
  }
  out += '"';
}

struct TextValue {
  std::string& out;
  void operator()(std::string_view text) const {
    const std::string escaped = escape(text);
    if (needs_quotes(escaped)) return append_quoted(out, escaped);
    out += escaped;
  }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(auto number) const { append_number(out, number); }
};

struct JsonValue {
  std::string& out;
  void operator()(std::string_view text) const {
    // JSON leaves DEL and C1 as they are, and a terminal takes them for commands.
    out +=
        escape_json_controls(boost::json::serialize(boost::json::value(escape_invalid_utf8(text))));
  }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(double number) const {
    out += boost::json::serialize(boost::json::value(number));
  }
  void operator()(auto number) const { append_number(out, number); }
};

}  // namespace

std::string format_text(std::string_view message, Attributes attributes) {
  std::string out = escape(message);
  for (const Attribute& attribute : attributes) {
    out += ' ';
    out += attribute.name;
    out += '=';
    std::visit(TextValue{out}, attribute.value);
  }
  return out;
}

std::string format_json_members(std::string_view message, Attributes attributes) {
  std::string out = "\"message\":";
  const JsonValue write{out};
  write(message);
  for (const Attribute& attribute : attributes) {
    out += ",\"";
    out += attribute.name;
    out += "\":";
    std::visit(write, attribute.value);
  }
  return out;
}

}  // namespace viaduct::daemon::log
