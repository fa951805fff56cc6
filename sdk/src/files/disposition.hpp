#pragma once

#include <string>
#include <string_view>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// The value of a Content-Disposition field that has the client save what it gets as `name`, which
/// is UTF-8 (RFC 6266): ASCII for those that know no better, and, where that is not all of it, the
/// name itself as filename* (RFC 8187, once RFC 5987). Separators of paths, control characters and,
/// in names that are not UTF-8, all other bytes than ASCII become '_'.
[[nodiscard]] std::string attachment(std::string_view name);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
