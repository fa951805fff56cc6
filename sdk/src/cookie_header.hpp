#pragma once

#include <optional>
#include <string_view>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// The value of the first cookie of that name in a Cookie field (RFC 6265 section 4.2.1), without
/// the quotes around it. Only ';' separates cookies, within quotes too; all behind the first '=' is
/// the value. Names are case-sensitive; what is no `name=value` is skipped. A view of `field`:
/// nothing is stored, whatever its size.
[[nodiscard]] std::optional<std::string_view> find_cookie(std::string_view field,
                                                          std::string_view name);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
