#pragma once

#include <cstddef>
#include <string_view>

namespace viaduct::protocol {

/// The two parts of a Host field or an authority (RFC 3986 section 3.2): "example.org:8443",
/// "[::1]:80". The port is empty where there is none; brackets stay with the host.
struct HostPort {
  std::string_view host;
  std::string_view port;
};

[[nodiscard]] constexpr HostPort split_host(std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  const bool inside = bracket != std::string_view::npos && colon < bracket;
  if (colon == std::string_view::npos || inside) return {authority, {}};
  return {authority.substr(0, colon), authority.substr(colon + 1)};
}

/// Whether `text` is host[:port] (RFC 3986 section 3.2.2): a name, an address, or an address in
/// brackets, with a port of digits or none. Nothing that others might take for user information, a
/// path or a second port. The host may be empty.
[[nodiscard]] bool is_authority(std::string_view text);

}  // namespace viaduct::protocol
