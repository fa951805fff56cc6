#include "protocol/cgi_head.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "protocol/text.hpp"

namespace viaduct::protocol {
namespace {

constexpr int kMinStatus = 100;
constexpr int kSwitching = 101;
constexpr int kNoContent = 204;
constexpr int kResetContent = 205;
// Each is compared with all fields before it.
constexpr unsigned kRepeats = 16;
constexpr std::size_t kKeptLine = 1024;
constexpr std::size_t kShownLine = 64;

enum class Field : std::uint8_t {
  ordinary,
  status,
  location,
  content_type,
  content_length,
  transfer_encoding,
  upgrade,
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
    {"Upgrade", Field::upgrade},
};

Field classify(std::string_view name) {
  for (const auto& [known, field] : kFields) {
    if (known.size() == name.size() && equal_nocase(known, name)) return field;
  }
  return Field::ordinary;
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

// A list of equal numbers, as a relay makes of equal fields (RFC 9110 section 8.6).
std::optional<std::uint64_t> read_list(std::string_view value) {
  std::optional<std::uint64_t> length;
  while (true) {
    const std::size_t comma = value.find(',');
    const auto number = parse_decimal(trim(value.substr(0, comma)));
    if (!number || (length && *length != *number)) return std::nullopt;
    length = number;
    if (comma == std::string_view::npos) return length;
    value.remove_prefix(comma + 1);
  }
}

// No token, but nothing that makes another line or field of it somewhere.
bool is_harmless(std::string_view name) {
  return !name.empty() && std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
  });
}

}  // namespace

const char* describe(Mend mend) {
  switch (mend) {
    case Mend::none:
      break;
    case Mend::no_field:
      return "the head is empty: status 200";
    case Mend::bad_name:
      return "a field whose name is no token is dropped";
    case Mend::repeated_field:
      return "of a field that may stand once only, the last one counts";
    case Mend::bad_length:
      return "a Content-Length that is no number is dropped";
    case Mend::transfer_encoding:
      return "Transfer-Encoding is dropped";
  }
  return "nothing";
}

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
    line_ = text.substr(0, step);
    text.remove_prefix(step);
    if (newline == std::string_view::npos) {
      partial_.append(line_);
      break;
    }
    if (!partial_.empty()) {
      partial_.append(line_);
      line_ = partial_;
    }
    line_.remove_suffix(1);
    if (line_.ends_with('\r')) line_.remove_suffix(1);
    error_ = take_line(line_);
    partial_.clear();
  }
  return bytes.size() - text.size();
}

Errc CgiHeadReader::take_line(std::string_view line) {
  const bool first = !std::exchange(seen_.first_line, true);
  if (line.empty()) return finish();
  if (first && line.starts_with("HTTP/")) return take_status_line(line);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Errc::bad_head_line;
  const std::string_view name = line.substr(0, colon);
  if (!is_token(name)) {
    if (!is_harmless(name)) return Errc::bad_head_line;
    if (!is_one_line(line)) return Errc::bad_head_value;
    seen_.any_field = true;
    return mended(Mend::bad_name, Errc::bad_head_line);
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_one_line(value)) return Errc::bad_head_value;
  return take_field(name, value);
}

Errc CgiHeadReader::take_status_line(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return Errc::bad_status;
  if (!is_one_line(line)) return Errc::bad_head_value;
  seen_.status_line = true;
  return read_status(trim(line.substr(space)), head_) ? Errc::ok : Errc::bad_status;
}

Errc CgiHeadReader::take_field(std::string_view name, std::string_view value) {
  seen_.any_field = true;
  switch (classify(name)) {
    case Field::status:
      return take_status(value);
    case Field::transfer_encoding:
      if (!value.empty() && !equal_nocase(value, "chunked") && !equal_nocase(value, "identity"))
        return Errc::forbidden_field;
      return mended(Mend::transfer_encoding, Errc::forbidden_field);
    case Field::hop_by_hop:
      return Errc::ok;
    case Field::upgrade:
      upgrade_ = value;
      return Errc::ok;
    case Field::content_length:
      return take_length(name, value);
    case Field::location:
      return take_location(name, value);
    case Field::content_type:
      if (seen_.content_type) {
        const Errc error = mended(Mend::repeated_field, Errc::duplicate_cgi_field);
        if (error != Errc::ok) return error;
      }
      take_type(name, value);
      return Errc::ok;
    case Field::ordinary:
      break;
  }
  head_.fields.add(name, value);
  return Errc::ok;
}

Errc CgiHeadReader::take_status(std::string_view value) {
  if (!seen_.status) {
    seen_.status = true;
    return read_status(value, head_) ? Errc::ok : Errc::bad_status;
  }
  ResponseHead again;
  if (!read_status(value, again)) return Errc::bad_status;
  if (again.status != head_.status) return Errc::duplicate_cgi_field;
  return mended(Mend::repeated_field, Errc::duplicate_cgi_field);
}

Errc CgiHeadReader::take_location(std::string_view name, std::string_view value) {
  if (std::exchange(seen_.location, true)) {
    if (head_.fields.find_nocase("Location") != value) return Errc::duplicate_cgi_field;
    return mended(Mend::repeated_field, Errc::duplicate_cgi_field);
  }
  head_.fields.add(name, value);
  return Errc::ok;
}

Errc CgiHeadReader::take_length(std::string_view name, std::string_view value) {
  auto length = parse_decimal(value);
  const bool list = !length && value.find(',') != std::string_view::npos;
  if (list && rules_ == HeadRules::lenient) length = read_list(value);
  if (!length) {
    seen_.bad_length = true;
    if (head_.content_length || list) return Errc::conflicting_lengths;
    return mended(Mend::bad_length, Errc::conflicting_lengths);
  }
  if (seen_.bad_length) return Errc::conflicting_lengths;
  if (head_.content_length) {
    return head_.content_length == length ? Errc::ok : Errc::conflicting_lengths;
  }
  head_.content_length = length;
  head_.fields.add(name, list ? std::string_view(std::to_string(*length)) : value);
  return Errc::ok;
}

// Programs that set a type and then find a better one send both.
void CgiHeadReader::take_type(std::string_view name, std::string_view value) {
  if (std::exchange(seen_.content_type, true)) erase_field("Content-Type");
  head_.fields.add(name, value);
}

void CgiHeadReader::erase_field(std::string_view name) {
  for (const auto& item : head_.fields) {
    if (!equal_nocase(item.name, name)) continue;
    head_.fields.erase(std::string(item.name));
    return;
  }
}

Errc CgiHeadReader::mended(Mend mend, Errc otherwise) {
  if (rules_ == HeadRules::strict) return otherwise;
  if (mend == Mend::repeated_field && ++repeats_ > kRepeats) return otherwise;
  if (mend_ == Mend::none) {
    mend_ = mend;
    mended_line_ = line_.substr(0, kShownLine);
  }
  return Errc::ok;
}

Errc CgiHeadReader::finish() {
  if (!seen_.any_field && !seen_.status_line) {
    const Errc error = mended(Mend::no_field, Errc::bad_head_line);
    if (error != Errc::ok) return error;
  }
  if (seen_.location && !seen_.status && !seen_.status_line) head_.status = 302;
  if (head_.status < 200 && head_.status != kSwitching) {
    if (++interim_ > kInterim) return Errc::too_many_interim;
    begin_head();
    return Errc::ok;
  }
  if (head_.status == kSwitching) {
    // What follows is of another protocol (RFC 9110 section 8.6).
    head_.content_length.reset();
    erase_field("Content-Length");
    if (!upgrade_.empty()) head_.fields.add("Upgrade", upgrade_);
  }
  if (head_.status == kNoContent) {
    // It has none to measure (section 8.6).
    head_.content_length.reset();
    erase_field("Content-Length");
  }
  if (head_.status == kResetContent) {
    // It has no content, whatever follows (section 15.3.6).
    erase_field("Content-Length");
    head_.content_length = 0;
    head_.fields.add("Content-Length", "0");
  }
  done_ = true;
  return Errc::ok;
}

void CgiHeadReader::begin_head() {
  size_ = 0;
  seen_ = {};
  upgrade_.clear();
  // The memory of the fields serves the next head.
  head_.status = ResponseHead{}.status;
  head_.reason.clear();
  head_.fields.clear();
  head_.content_length.reset();
}

void CgiHeadReader::reset() {
  partial_.clear();
  mended_line_.clear();
  mend_ = Mend::none;
  interim_ = 0;
  repeats_ = 0;
  done_ = false;
  error_ = Errc::ok;
  begin_head();
  if (memory_of(partial_) > kKeptLine) give_back(partial_);
  if (memory_of(upgrade_) > kKeptLine) give_back(upgrade_);
  if (memory() > Pairs::kWorthKeeping) give_back(head_);
}

}  // namespace viaduct::protocol
