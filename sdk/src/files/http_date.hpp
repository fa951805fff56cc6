#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7), whatever the locale.
[[nodiscard]] std::string format_http_date(std::time_t time);

/// Any of the three forms of that section; absent for everything else.
[[nodiscard]] std::optional<std::time_t> parse_http_date(std::string_view text);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
