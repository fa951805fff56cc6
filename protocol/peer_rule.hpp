#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/ip_address.hpp"

namespace viaduct::protocol {

/// One entry of `allow` or `trusted`: "10.0.0.0/8", "fd00::1", "uid:www-data", "gid:33".
struct PeerRule {
  enum class Kind { network, uid, gid };

  Kind kind = Kind::network;
  std::string text;           ///< as written
  IpBytes network{};          ///< network: its address, host bits zero
  std::uint8_t prefix = 128;  ///< network: bits that count, in the mapped form (IPv4 /8 is 104)
  std::uint32_t id = 0;       ///< uid, gid: the number, once names have been looked up

  bool operator==(const PeerRule&) const = default;
};

/// The rule, or a text that says what was expected. Names after uid: and gid: are not looked up
/// here: `id` is set when they are numbers, and 0 otherwise.
[[nodiscard]] std::variant<PeerRule, std::string> parse_peer_rule(std::string_view text);

/// The name after "uid:" or "gid:"; empty for networks.
[[nodiscard]] std::string_view principal(const PeerRule& rule);

/// Whether the rule is a network that contains the address.
[[nodiscard]] bool matches_address(const PeerRule& rule, const IpBytes& address);

/// The same for any of the rules. An empty list names nobody.
[[nodiscard]] bool matches_address(const std::vector<PeerRule>& rules, const IpBytes& address);

}  // namespace viaduct::protocol
