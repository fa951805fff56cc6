#include "sdk/src/files/byte_range.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "sdk/src/chars.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

// Positions beyond 64 bits lie behind every end, which is all that matters about them.
std::optional<std::uint64_t> number(std::string_view text) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (kMax - digit) / 10 ? kMax : value * 10 + digit;
  }
  return value;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

ByteRange parse_range(std::string_view field, std::uint64_t size) {
  // All of nothing is the answer to whatever part of it.
  if (size == 0) return {};
  constexpr std::string_view kUnit = "bytes=";
  field = trim(field);
  if (!equal_nocase(field.substr(0, kUnit.size()), kUnit)) return {};
  const std::string_view spec = trim(field.substr(kUnit.size()));
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return {};
  const std::string_view from = spec.substr(0, dash);
  const std::string_view to = spec.substr(dash + 1);
  const ByteRange unsatisfiable{.kind = ByteRange::Kind::unsatisfiable};

  if (from.empty()) {
    const auto last_bytes = number(to);
    if (!last_bytes) return {};
    const std::uint64_t length = std::min(*last_bytes, size);
    if (length == 0) return unsatisfiable;
    return {.kind = ByteRange::Kind::part, .first = size - length, .length = length};
  }
  const auto first = number(from);
  const auto last = to.empty() ? std::numeric_limits<std::uint64_t>::max() : number(to);
  if (!first || !last || *last < *first) return {};
  if (*first >= size) return unsatisfiable;
  const std::uint64_t end = std::min(*last, size - 1);
  return {.kind = ByteRange::Kind::part, .first = *first, .length = end - *first + 1};
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
