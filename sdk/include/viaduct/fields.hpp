#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {

namespace detail {
struct FieldsAccess;
}

/// A header field that cannot be sent: its name is not a token (RFC 9110 section 5.6.2), its value
/// holds CR, LF, NUL or another control character than a tab (5.5), or it belongs to the front
/// server (Transfer-Encoding, Status), which is found when the head goes out.
struct VIADUCT_API invalid_header : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// An ordered multimap of header fields. Names compare without regard to the case of ASCII letters
/// (RFC 9110 section 5.1) and are kept as spelled. Views that it hands out are valid until the next
/// change. Not thread-safe.
class VIADUCT_API Fields {
 public:
  /// Value of the first field of that name.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;

  /// Values of all fields of that name, in order.
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;

  /// Every field, in order.
  [[nodiscard]] std::span<const std::pair<std::string, std::string>> items() const {
    return items_;
  }

  /// Replaces every field of that name by one, in the place of the first. Throws invalid_header.
  Fields& set(std::string_view name, std::string_view value);

  /// Appends a field, whether or not the name is there. Throws invalid_header.
  Fields& add(std::string_view name, std::string_view value);

  /// Removes every field of that name; returns whether there was one.
  bool erase(std::string_view name);

 private:
  friend struct detail::FieldsAccess;
  std::vector<std::pair<std::string, std::string>> items_;
};

}  // namespace v1
}  // namespace viaduct
