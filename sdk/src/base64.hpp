#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// base64url without padding (RFC 4648 section 5): fits into cookies and header fields.
[[nodiscard]] std::string base64url_encode(std::string_view bytes);

/// Its reverse. Absent unless base64url_encode() would have made that text.
[[nodiscard]] std::optional<std::string> base64url_decode(std::string_view text);

/// base64 with '+', '/' and padding (RFC 4648 section 4), which may be left out.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
