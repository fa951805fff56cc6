#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// A field value such as `form-data; name="a"; filename="b.txt"` or `multipart/form-data;
/// boundary=x` (RFC 9110 section 5.6.6).
struct Parameterized {
  std::string value;  ///< what stands in front of the first ';', in lower case
  std::vector<std::pair<std::string, std::string>> parameters;  ///< names in lower case

  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
};

/// Absent when `text` is malformed: no value, a parameter without a name or a '=', a quoted string
/// that does not end, a parameter that is there twice, or more than 32 of them.
///
/// In a quoted string a backslash escapes '"' and '\' only and stays in front of anything else:
/// browsers send the backslashes of a Windows path as they are (RFC 7578 section 4.2). A value
/// without quotes may hold anything but ';' and '"'.
[[nodiscard]] std::optional<Parameterized> parse_parameters(std::string_view text);

/// The text of an extended value, `UTF-8'en'%e2%82%ac.txt`, as UTF-8 (RFC 8187 section 3.2). Absent
/// when it is malformed or of another charset than UTF-8 and ISO-8859-1.
[[nodiscard]] std::optional<std::string> decode_extended(std::string_view text);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
