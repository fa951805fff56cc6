#pragma once

#include <string_view>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Whether a part of that path begins with a dot: `.env`, `.git/config`. "." does not count, nor
/// does `.well-known` (RFC 8615) as the first part of several.
[[nodiscard]] bool names_dot_file(std::string_view relative);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
