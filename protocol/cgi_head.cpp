#include "protocol/cgi_head.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "protocol/text.hpp"

namespace viaduct::protocol {
namespace {

constexpr int kMinStatus = 100;
constexpr int kMaxStatus = 999;
constexpr std::size_t kKeptLine = 1024;

enum class Field : std::uint8_t {
  ordinary,
  status,
  location,
  content_type,
  content_length,
  transfer_encoding,
  hop_by_hop,  // concerns one connection only (RFC 9110 section 7.6.1, RFC 3875 section 6.3.4)
};

constexpr std::pair<std::string_view, Field> kFields[] = {
    {"Status", Field::status},
    {"Location", Field::location},
    {"Content-Type", Field::content_type},
    {"Content-Length", Field::content_length},
    {"Transfer-Encoding", Field::transfer_encoding},
    {"Connection", Field::hop_by_hop},
    {"Keep-Alive", Field::hop_by_hop},
    {"Proxy-Connection", Field::hop_by_hop},
    {"TE", Field::hop_by_hop},
    {"Trailer", Field::hop_by_hop},
    {"Upgrade", Field::hop_by_hop},
};

Field classify(std::string_view name) {
  for (const auto& [known, field] : kFields) {
    if (known.size() == name.size() && equal_nocase(known, name)) return field;
  }
  return Field::ordinary;
}

bool clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return breaks_line(c); });
}

// `NNN` or `NNN reason`.
bool read_status(std::string_view text, ResponseHead& head) {
  const auto digits = parse_decimal(text.substr(0, 3));
  if (text.size() < 3 || !digits || *digits < kMinStatus) return false;
  if (text.size() > 3 && text[3] != ' ' && text[3] != '\t') return false;
  head.status = static_cast<int>(*digits);
  head.reason = trim(text.substr(3));
  return true;
}

// Replaces what would end the line, so that no value can add a field of its own.
void append_clean(std::string_view text, std::string& to) {
  const std::size_t at = to.size();
  to.append(text);
  if (clean(text)) return;
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
  to.append("\r\n");
}

}  // namespace

std::size_t CgiHeadReader::feed(Bytes bytes) {
  std::string_view text = as_text(bytes);
  while (!text.empty() && !done_ && error_ == Errc::ok) {
    const std::size_t newline = text.find('\n');
    const std::size_t step = std::min(newline, text.size() - 1) + 1;
    if (step > limit_ - size_) {
      error_ = Errc::head_too_large;
      break;
    }
    size_ += step;
    std::string_view line = text.substr(0, step);
    text.remove_prefix(step);
    if (newline == std::string_view::npos) {
      partial_.append(line);
      break;
    }
    if (!partial_.empty()) {
      partial_.append(line);
      line = partial_;
    }
    line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    error_ = take_line(line);
    partial_.clear();
  }
  return bytes.size() - text.size();
}

Errc CgiHeadReader::take_line(std::string_view line) {
  const bool first = !std::exchange(seen_.first_line, true);
  if (line.empty()) return finish();
  if (first && line.starts_with("HTTP/")) return take_status_line(line);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return Errc::bad_head_line;
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (!clean(value)) return Errc::bad_head_value;
  return take_field(line.substr(0, colon), value);
}

Errc CgiHeadReader::take_status_line(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return Errc::bad_status;
  if (!clean(line)) return Errc::bad_head_value;
  seen_.status_line = true;
  return read_status(trim(line.substr(space)), head_) ? Errc::ok : Errc::bad_status;
}

Errc CgiHeadReader::take_field(std::string_view name, std::string_view value) {
  seen_.any_field = true;
  switch (classify(name)) {
    case Field::status:
      if (std::exchange(seen_.status, true)) return Errc::duplicate_cgi_field;
      return read_status(value, head_) ? Errc::ok : Errc::bad_status;
    case Field::transfer_encoding:
      return Errc::forbidden_field;
    case Field::hop_by_hop:
      return Errc::ok;
    case Field::content_length: {
      const auto length = parse_decimal(value);
      if (!length || (head_.content_length && head_.content_length != length)) {
        return Errc::conflicting_lengths;
      }
      if (head_.content_length) return Errc::ok;
      head_.content_length = length;
      break;
    }
    case Field::location:
      if (std::exchange(seen_.location, true)) return Errc::duplicate_cgi_field;
      break;
    case Field::content_type:
      if (std::exchange(seen_.content_type, true)) return Errc::duplicate_cgi_field;
      break;
    case Field::ordinary:
      break;
  }
  head_.fields.add(name, value);
  return Errc::ok;
}

Errc CgiHeadReader::finish() {
  if (!seen_.any_field && !seen_.status_line) return Errc::bad_head_line;
  if (seen_.location && !seen_.status && !seen_.status_line) head_.status = 302;
  done_ = true;
  return Errc::ok;
}

void CgiHeadReader::reset() {
  size_ = 0;
  partial_.clear();
  seen_ = {};
  done_ = false;
  error_ = Errc::ok;
  if (memory_of(partial_) > kKeptLine) give_back(partial_);
  if (memory() > Pairs::kWorthKeeping) {
    give_back(head_);
    return;
  }
  // The memory of the fields serves the next head.
  head_.status = ResponseHead{}.status;
  head_.reason.clear();
  head_.fields.clear();
  head_.content_length.reset();
}

void write_cgi_head(const ResponseHead& head, std::string& to) {
  to.append("Status: ");
  append_status(head, to);
  append_fields(head, to);
}

void write_http_head(const ResponseHead& head, std::string& to) {
  to.append("HTTP/1.1 ");
  append_status(head, to);
  append_fields(head, to);
}

}  // namespace viaduct::protocol
