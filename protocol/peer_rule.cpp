#include "protocol/peer_rule.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace viaduct::protocol {
namespace {

constexpr unsigned kMappedBits = 96;  // ::ffff:0:0/96 holds the IPv4 addresses

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  return failure == std::errc{} && stop == end;
}

bool bit(const IpBytes& bytes, unsigned index) {
  return (bytes[index / 8] >> (7 - index % 8)) & 1;
}

std::variant<PeerRule, std::string> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return "expected an IP address, a network such as 10.0.0.0/8, uid:NAME or gid:NAME";

  const bool ipv4 = text.substr(0, slash).find(':') == std::string_view::npos;
  const unsigned width = ipv4 ? 32 : 128;
  unsigned prefix = width;
  if (slash != std::string_view::npos &&
      (!parse_number(text.substr(slash + 1), prefix) || prefix > width))
    return "expected a prefix length from 0 to " + std::to_string(width) + " after '/'";
  if (ipv4) prefix += kMappedBits;

  for (unsigned index = prefix; index < 128; ++index)
    if (bit(*address, index)) return "the address has bits set beyond its prefix length";
  return PeerRule{PeerRule::Kind::network, std::string(text), *address,
                  static_cast<std::uint8_t>(prefix), 0};
}

}  // namespace

std::variant<PeerRule, std::string> parse_peer_rule(std::string_view text) {
  const bool uid = text.starts_with("uid:");
  if (!uid && !text.starts_with("gid:")) return parse_network(text);

  PeerRule rule;
  rule.kind = uid ? PeerRule::Kind::uid : PeerRule::Kind::gid;
  rule.text = text;
  const std::string_view name = principal(rule);
  if (name.empty())
    return std::string("expected a name or number after ") + (uid ? "uid:" : "gid:");
  if (parse_number(name, rule.id)) return rule;
  if (name.find_first_not_of("0123456789") == std::string_view::npos)
    return std::string("expected a number that fits 32 bits after ") + (uid ? "uid:" : "gid:");
  rule.id = 0;
  return rule;
}

std::string_view principal(const PeerRule& rule) {
  if (rule.kind == PeerRule::Kind::network) return {};
  return std::string_view(rule.text).substr(4);
}

bool matches_address(const PeerRule& rule, const IpBytes& address) {
  if (rule.kind != PeerRule::Kind::network) return false;
  const std::size_t whole = rule.prefix / 8;
  if (std::memcmp(rule.network.data(), address.data(), whole) != 0) return false;
  const unsigned left = rule.prefix % 8;
  return left == 0 || ((rule.network[whole] ^ address[whole]) >> (8 - left)) == 0;
}

bool matches_address(const std::vector<PeerRule>& rules, const IpBytes& address) {
  return std::any_of(rules.begin(), rules.end(),
                     [&](const PeerRule& rule) { return matches_address(rule, address); });
}

}  // namespace viaduct::protocol
