#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace viaduct::protocol {

/// An IPv6 address in network byte order. IPv4 addresses are held in their mapped form
/// (::ffff:a.b.c.d), so that a peer is the same whichever way it is reported.
using IpBytes = std::array<std::uint8_t, 16>;

/// "192.0.2.1", "2001:db8::1" or "::ffff:192.0.2.1"; absent for anything else, zones included.
[[nodiscard]] std::optional<IpBytes> parse_ip(std::string_view text);

/// The shortest text of an address: a mapped one is written as IPv4.
[[nodiscard]] std::string format_ip(const IpBytes& address);

/// Whether the address is an IPv4 address in its mapped form.
[[nodiscard]] bool is_ipv4(const IpBytes& address);

}  // namespace viaduct::protocol
