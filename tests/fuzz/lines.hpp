#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string_view>
#include <vector>

namespace viaduct::test {

/// The first second that an HTTP date cannot name: of the year 10000.
constexpr std::time_t kEndOfDates = 253402300800;

/// For inputs that are lines: their fields are one line each, without its line feed.
inline std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos;) {
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (!text.empty()) lines.push_back(text);
  return lines;
}

/// Without spaces and tabs at both ends.
inline std::string_view trim_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// A number of digits; absent where there is something else, or one too large.
inline std::optional<std::uint64_t> decimal(std::string_view text) {
  std::uint64_t number = 0;
  if (text.empty()) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(number, 10U, &number) ||
        __builtin_add_overflow(number, static_cast<std::uint64_t>(c - '0'), &number)) {
      return std::nullopt;
    }
  }
  return number;
}

/// Ends the fuzzer where a law does not hold.
inline void require(bool holds, const char* broken) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", broken);
  std::abort();
}

}  // namespace viaduct::test
