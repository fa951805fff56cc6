#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {

namespace detail {
struct ValuesAccess;
}

/// Name-value pairs of a query or form in the order sent, decoded as
/// application/x-www-form-urlencoded (URL standard section 5.1): '+' is a space, `%XX` a byte, a
/// malformed escape stays as it is. Names are case-sensitive and may repeat; a name without '=' has
/// an empty value. Nothing changes them: views that they hand out are valid as long as they are.
class VIADUCT_API Values {
 public:
  /// No values.
  Values() = default;
  /// Decodes `encoded`, a query without its '?'. Throws http_error 400 when that has more than
  /// `max` pairs.
  explicit Values(std::string_view encoded, std::size_t max = 1024);

  /// The first value of that name.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  /// All values of that name, in order.
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  /// Every pair, in order.
  [[nodiscard]] std::span<const std::pair<std::string, std::string>> items() const {
    return items_;
  }

 private:
  friend struct detail::ValuesAccess;
  std::vector<std::pair<std::string, std::string>> items_;
};

}  // namespace v1
}  // namespace viaduct
