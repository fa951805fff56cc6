#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace viaduct::protocol {

/// Whether `c` may stand in a header field's name (RFC 9110 section 5.6.2).
[[nodiscard]] bool is_token_char(char c);

/// Whether `c` ends a line or a C string, so that no header field may hold it.
[[nodiscard]] constexpr bool breaks_line(char c) {
  return static_cast<unsigned char>(c) <= '\r' && (c == '\r' || c == '\n' || c == '\0');
}

/// Whether no character of `text` breaks a line.
[[nodiscard]] bool is_one_line(std::string_view text);

/// Whether `text` is a non-empty token.
[[nodiscard]] bool is_token(std::string_view text);

/// Whether ASCII letters differ at most in case.
[[nodiscard]] bool equal_nocase(std::string_view left, std::string_view right);

/// `text` without spaces and tabs at both ends (RFC 9110 section 5.6.3).
[[nodiscard]] std::string_view trim(std::string_view text);

/// A number written with digits only, no sign, no space; absent when it is none or exceeds 64 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_decimal(std::string_view text);

}  // namespace viaduct::protocol
