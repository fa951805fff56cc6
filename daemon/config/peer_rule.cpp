#include "daemon/config/peer_rule.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace viaduct::daemon::config {
namespace {

constexpr std::uint8_t kMappedBits = 96;  // ::ffff:0:0/96 holds the IPv4 addresses

struct ParsedAddress {
  IpBytes bytes{};
  bool is_v4 = false;
};

std::optional<ParsedAddress> parse_ip(const std::string& text) {
  ParsedAddress parsed;
  if (inet_pton(AF_INET, text.c_str(), parsed.bytes.data() + 12) == 1) {
    parsed.bytes[10] = parsed.bytes[11] = 0xff;
    parsed.is_v4 = true;
    return parsed;
  }
  if (inet_pton(AF_INET6, text.c_str(), parsed.bytes.data()) == 1) return parsed;
  return std::nullopt;
}

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
  const auto address = parse_ip(std::string(text.substr(0, slash)));
  if (!address) return "expected an IP address, a network such as 10.0.0.0/8, uid:NAME or gid:NAME";

  const unsigned width = address->is_v4 ? 32 : 128;
  unsigned prefix = width;
  if (slash != std::string_view::npos &&
      (!parse_number(text.substr(slash + 1), prefix) || prefix > width))
    return "expected a prefix length from 0 to " + std::to_string(width) + " after '/'";
  if (address->is_v4) prefix += kMappedBits;

  for (unsigned index = prefix; index < 128; ++index)
    if (bit(address->bytes, index)) return "the address has bits set beyond its prefix length";
  return PeerRule{PeerRule::Kind::network, std::string(text), address->bytes,
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
  if (!parse_number(name, rule.id)) rule.id = 0;
  return rule;
}

std::string_view principal(const PeerRule& rule) {
  if (rule.kind == PeerRule::Kind::network) return {};
  return std::string_view(rule.text).substr(4);
}

bool matches_address(const PeerRule& rule, const IpBytes& peer) {
  if (rule.kind != PeerRule::Kind::network) return false;
  for (unsigned index = 0; index < rule.prefix; ++index)
    if (bit(rule.network, index) != bit(peer, index)) return false;
  return true;
}

}  // namespace viaduct::daemon::config
