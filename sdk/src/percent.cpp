#include "sdk/src/percent.hpp"

#include "sdk/src/chars.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

// The byte that text[at..at+2] escapes, or -1.
int escaped_byte(std::string_view text, std::size_t at) {
  if (text.size() - at < 3) return -1;
  const auto high = hex_digit(text[at + 1]);
  const auto low = hex_digit(text[at + 2]);
  return high && low ? static_cast<int>(*high * 16 + *low) : -1;
}

bool allowed_in_path(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::string_view("-._~!$&'()*+,;=:@/").find(c) != std::string_view::npos;
}

bool allowed_in_uri(char c) {
  return c > ' ' && c < '\x7f' && std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos;
}

void encode(std::string_view text, bool (*allowed)(char), std::string& to) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (allowed(c)) {
      to += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      to += '%';
      to += kDigits[byte >> 4];
      to += kDigits[byte & 15];
    }
  }
}

}  // namespace

bool percent_decode(std::string_view text, std::string& to) {
  while (true) {
    const std::size_t escape = text.find('%');
    to += text.substr(0, escape);
    if (escape == std::string_view::npos) return true;
    const int byte = escaped_byte(text, escape);
    if (byte < 0) return false;
    to += static_cast<char>(byte);
    text.remove_prefix(escape + 3);
  }
}

void percent_encode_path(std::string_view path, std::string& to) {
  encode(path, allowed_in_path, to);
}

void percent_encode_uri(std::string_view uri, std::string& to) {
  encode(uri, allowed_in_uri, to);
}

std::string form_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? escaped_byte(text, i) : -1;
    if (byte >= 0) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
