#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/ip_address.hpp"

namespace viaduct::protocol {

/// The elements of a comma-separated list, the last one first, without blanks around them. Empty
/// elements are left out.
///
/// The last element is the one that the nearest proxy appended. Reading from that end keeps an
/// element whole whatever a client sent in front of it, such as a quote without an end.
class ReverseList {
 public:
  enum class Commas : std::uint8_t {
    separate,          ///< every comma ends an element (X-Forwarded-For)
    may_stand_quoted,  ///< except within a quoted string (Forwarded)
  };

  /// `text` must outlive the object.
  ReverseList(std::string_view text, Commas commas) : rest_(text), commas_(commas) {}

  /// The next element to the left; absent at the beginning of the list. All calls together take
  /// time linear in the text.
  [[nodiscard]] std::optional<std::string_view> next();

 private:
  [[nodiscard]] std::size_t last_comma() const;

  std::string_view rest_;
  Commas commas_;
  bool ended_ = false;
};

/// One element of Forwarded (RFC 7239 section 4): `for=192.0.2.60;proto=https;host=shop.test`.
struct ForwardedElement {
  std::string_view client;  ///< for=, as written: possibly a quoted string; "": it is not there
  std::string_view scheme;  ///< proto=, likewise
  std::string_view host;    ///< host=, likewise
  bool repeats = false;     ///< one of these is there twice, which the text does not allow

  bool operator==(const ForwardedElement&) const = default;
};

/// Parameters of other names, and pieces without "=", are left out.
[[nodiscard]] ForwardedElement parse_forwarded_element(std::string_view element);

/// The content of a quoted string, without the backslashes of escapes; other text as it is.
[[nodiscard]] std::string unquote(std::string_view text);

/// The address of "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80" or "2001:db8::1"; absent for
/// "unknown", for an obfuscated name such as "_proxy", and for anything else.
[[nodiscard]] std::optional<IpBytes> parse_forwarded_node(std::string_view node);

}  // namespace viaduct::protocol
