#pragma once

#include <string>
#include <string_view>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// One event as WHATWG HTML section 9.2.5 writes it, the empty line behind it included. See
/// EventStream::send() for the arguments and what is thrown.
[[nodiscard]] std::string format_event(std::string_view data, std::string_view event,
                                       std::string_view id);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
