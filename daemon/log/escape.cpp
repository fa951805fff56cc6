#include "daemon/log/escape.hpp"

#include <cstddef>
#include <cstdint>

namespace viaduct::daemon::log {

namespace {

bool is_continuation(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

struct Lead {
  std::size_t length;     // of the whole sequence; 0: cannot begin one
  std::uint32_t minimum;  // smallest code point that needs this length
  std::uint32_t bits;     // of the code point that the lead carries
};

Lead classify(unsigned char byte) {
  if (byte < 0x80) return {1, 0, byte};
  if ((byte & 0xE0) == 0xC0) return {2, 0x80, byte & 0x1Fu};
  if ((byte & 0xF0) == 0xE0) return {3, 0x800, byte & 0x0Fu};
  if ((byte & 0xF8) == 0xF0) return {4, 0x10000, byte & 0x07u};
  return {0, 0, 0};
}

struct Character {
  std::size_t length = 0;  // 0: the first byte begins no valid sequence
  std::uint32_t code = 0;
};

Character first_character(std::string_view bytes) {
  const Lead lead = classify(static_cast<unsigned char>(bytes[0]));
  if (lead.length == 0 || lead.length > bytes.size()) return {};
  std::uint32_t code = lead.bits;
  for (std::size_t i = 1; i < lead.length; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (!is_continuation(byte)) return {};
    code = code << 6 | (byte & 0x3Fu);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < lead.minimum || code > 0x10FFFF || surrogate) return {};
  return {lead.length, code};
}

bool is_hidden(std::uint32_t code) {
  // The last two are taken for line ends by some viewers.
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
}

void append_hex(std::string& out, std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 0xF]};
  }
}

void append_visible(std::string& out, std::string_view character, std::uint32_t code) {
  switch (code) {
    case '\t':
      out += "\\t";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\\':
      out += "\\\\";
      return;
    default:
      break;
  }
  if (is_hidden(code)) return append_hex(out, character);
  out += character;
}

void append_json(std::string& out, std::string_view character, std::uint32_t code) {
  static constexpr char kDigits[] = "0123456789abcdef";
  if (!is_hidden(code)) {
    out += character;
    return;
  }
  out += "\\u";
  for (const int shift : {12, 8, 4, 0}) out += kDigits[code >> shift & 0xFu];
}

template <class AppendValid, class AppendInvalid>
std::string rewrite(std::string_view bytes, AppendValid append_valid,
                    AppendInvalid append_invalid) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const Character next = first_character(bytes);
    const std::size_t length = next.length == 0 ? 1 : next.length;
    if (next.length == 0) {
      append_invalid(out, bytes.substr(0, 1));
    } else {
      append_valid(out, bytes.substr(0, length), next.code);
    }
    bytes.remove_prefix(length);
  }
  return out;
}

}  // namespace

std::string escape(std::string_view bytes) {
  return rewrite(bytes, append_visible, append_hex);
}

std::string escape_controls(std::string_view bytes) {
  return rewrite(
      bytes,
      [](std::string& out, std::string_view character, std::uint32_t code) {
        if (code == '\\') {
          out += character;
        } else {
          append_visible(out, character, code);
        }
      },
      append_hex);
}

std::string escape_json_controls(std::string_view bytes) {
  return rewrite(bytes, append_json, [](std::string& out, std::string_view) { out += "\\ufffd"; });
}

std::string escape_invalid_utf8(std::string_view bytes) {
  return rewrite(
      bytes, [](std::string& out, std::string_view character, std::uint32_t) { out += character; },
      append_hex);
}

}  // namespace viaduct::daemon::log
