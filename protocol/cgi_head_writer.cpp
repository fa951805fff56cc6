#include <algorithm>
#include <array>

#include "protocol/cgi_head.hpp"
#include "protocol/text.hpp"

namespace viaduct::protocol {
namespace {

constexpr int kMinStatus = 100;
constexpr int kMaxStatus = 999;

// Replaces what would end the line, so that no value can add a field of its own.
void append_clean(std::string_view text, std::string& to) {
  const std::size_t at = to.size();
  to.append(text);
  if (is_one_line(text)) return;
  std::replace_if(
      to.begin() + static_cast<std::ptrdiff_t>(at), to.end(), [](char c) { return breaks_line(c); },
      ' ');
}

// A reason phrase has no control characters (RFC 9112 section 4), and ends up on terminals.
void append_reason(std::string_view text, std::string& to) {
  const auto control = [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; };
  for (const char c : text) to.push_back(control(c) ? ' ' : c);
}

void append_status(const ResponseHead& head, std::string& to) {
  const bool valid = head.status >= kMinStatus && head.status <= kMaxStatus;
  const int status = valid ? head.status : 500;
  const auto digit = [status](int of) { return static_cast<char>('0' + status / of % 10); };
  const std::array<char, 4> number{digit(100), digit(10), digit(1), ' '};
  to.append(number.data(), number.size());
  if (head.reason.empty()) {
    to.append(reason_phrase(status));
  } else {
    append_reason(head.reason, to);
  }
  to.append("\r\n");
}

void append_fields(const ResponseHead& head, std::string& to) {
  for (const auto [name, value] : head.fields) {
    if (!is_token(name)) continue;
    to.append(name).append(": ");
    append_clean(value, to);
    to.append("\r\n");
  }
}

}  // namespace

void write_cgi_head(const ResponseHead& head, std::string& to) {
  // To HAProxy, Location means 302 unless Status comes behind it.
  const bool status_last = head.fields.find_nocase("Location").has_value();
  if (status_last) append_fields(head, to);
  to.append("Status: ");
  append_status(head, to);
  if (!status_last) append_fields(head, to);
  to.append("\r\n");
}

void write_http_head(const ResponseHead& head, std::string& to) {
  to.append("HTTP/1.1 ");
  append_status(head, to);
  append_fields(head, to);
  to.append("\r\n");
}

}  // namespace viaduct::protocol
