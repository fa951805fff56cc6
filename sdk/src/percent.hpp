#pragma once

#include <string>
#include <string_view>

#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Appends `text` with %XX replaced by its byte (RFC 3986 section 2.1). Returns false, having
/// appended a part, when an escape is malformed.
[[nodiscard]] VIADUCT_API bool percent_decode(std::string_view text, std::string& to);

/// Appends a path, slashes kept, with every byte escaped that RFC 3986 section 3.3 does not allow
/// in a path.
void percent_encode_path(std::string_view path, std::string& to);

/// Appends a URI or path in which escapes stand already: what no URI may hold (RFC 3986 appendix A:
/// bytes beyond ASCII, spaces, control characters, any of `"<>\^`{|}`) is escaped, all else kept.
void percent_encode_uri(std::string_view uri, std::string& to);

/// Decodes application/x-www-form-urlencoded text: '+' is a space, malformed escapes stay.
[[nodiscard]] std::string form_decode(std::string_view text);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
