#pragma once

#include <string_view>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// The media type of a file by the extension of its name, in any case of letters, as IANA registers
/// it; "application/octet-stream" for others. Text is said to be UTF-8.
[[nodiscard]] std::string_view media_type(std::string_view filename);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
