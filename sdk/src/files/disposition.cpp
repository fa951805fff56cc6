#include "sdk/src/files/disposition.hpp"

#include <algorithm>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

// How many bytes the character at the front of `text` has; 0 when it is not UTF-8 (RFC 3629).
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool surrogate = first == 0xed && byte(1) > 0x9f;
  const bool beyond = first == 0xf4 && byte(1) > 0x8f;
  return overlong || surrogate || beyond ? 0 : size;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

// RFC 8187 section 3.2.1, attr-char.
bool is_attr_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$&+-.^_`|~").find(c) != std::string_view::npos;
}

std::string harmless(std::string_view name) {
  const bool utf8 = is_utf8(name);
  std::string text(name);
  std::replace_if(
      text.begin(), text.end(),
      [utf8](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f || c == '/' || c == '\\' || (byte >= 0x80 && !utf8);
      },
      '_');
  return text;
}

}  // namespace

std::string attachment(std::string_view name) {
  const std::string text = harmless(name);
  std::string ascii;
  // Some clients decode %XX in the plain form.
  for (const char c : text) ascii += is_ascii(c) && c != '"' && c != '%' ? c : '_';
  std::string field = "attachment; filename=\"" + ascii + '"';
  if (ascii == text) return field;
  static constexpr char kHex[] = "0123456789ABCDEF";
  field += "; filename*=UTF-8''";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_attr_char(c)) {
      field += c;
    } else {
      field += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return field;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
