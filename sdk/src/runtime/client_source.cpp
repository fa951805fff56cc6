#include "sdk/src/runtime/client_source.hpp"

#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "protocol/forwarded_field.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

using protocol::ForwardedSource;
using protocol::IpBytes;
using protocol::PeerRule;

// A number stands for itself.
std::uint32_t account(const PeerRule& rule) {
  const std::string name(protocol::principal(rule));
  if (std::to_string(rule.id) == name) return rule.id;
  if (rule.kind == PeerRule::Kind::uid) {
    if (const passwd* const user = ::getpwnam(name.c_str())) return user->pw_uid;
    throw std::invalid_argument("--trusted: no user named \"" + name + '"');
  }
  if (const group* const found = ::getgrnam(name.c_str())) return found->gr_gid;
  throw std::invalid_argument("--trusted: no group named \"" + name + '"');
}

std::vector<PeerRule> parse_rules(std::string_view text) {
  std::vector<PeerRule> rules;
  protocol::ReverseList list(text, protocol::ReverseList::Commas::separate);
  for (auto word = list.next(); word; word = list.next()) {
    auto parsed = protocol::parse_peer_rule(*word);
    if (const auto* const problem = std::get_if<std::string>(&parsed)) {
      throw std::invalid_argument("--trusted: \"" + std::string(*word) + "\": " + *problem);
    }
    rules.push_back(std::get<PeerRule>(std::move(parsed)));
    if (rules.back().kind != PeerRule::Kind::network) rules.back().id = account(rules.back());
  }
  return rules;
}

ForwardedSource source_of(const ClientSourceWords& words) {
  if (words.forwarded == "x-forwarded-for") return ForwardedSource::x_forwarded_for;
  if (words.forwarded == "forwarded") return ForwardedSource::forwarded;
  if (words.forwarded == "none") return ForwardedSource::none;
  if (words.forwarded.empty()) {
    if (words.trusted.empty()) return ForwardedSource::none;
    throw std::invalid_argument(
        "--trusted: --forwarded has to say which field these proxies append the client's address "
        "to: x-forwarded-for or forwarded; or none");
  }
  throw std::invalid_argument("--forwarded: expected x-forwarded-for, forwarded or none");
}

std::optional<IpBytes> address_of(const sockaddr_storage& name) {
  IpBytes address{};
  if (name.ss_family == AF_INET6) {
    const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(name);
    std::memcpy(address.data(), &ipv6.sin6_addr, address.size());
    return address;
  }
  if (name.ss_family != AF_INET) return std::nullopt;
  const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(name);
  address[10] = address[11] = 0xff;
  std::memcpy(address.data() + 12, &ipv4.sin_addr, 4);
  return address;
}

}  // namespace

ClientSource::ClientSource(const ClientSourceWords& words)
    : options_{source_of(words), words.host, words.proto, words.port},
      trusted_(parse_rules(words.trusted)) {
  const bool named = protocol::names_client(options_.source);
  if (named && trusted_.empty()) {
    throw std::invalid_argument("--forwarded: --trusted has to name the proxies whose word it is");
  }
  for (const auto& [wanted, option] : {std::pair{words.host, "--forwarded-host"},
                                       {words.proto, "--forwarded-proto"},
                                       {words.port, "--forwarded-port"}}) {
    if (wanted && !named) {
      throw std::invalid_argument(std::string(option) +
                                  ": only with --forwarded x-forwarded-for or forwarded");
    }
  }
  if (words.port && options_.source == ForwardedSource::forwarded) {
    throw std::invalid_argument(
        "--forwarded-port: only with --forwarded x-forwarded-for: Forwarded has the port in host=");
  }
}

bool ClientSource::trusts(int fd) const {
  if (trusted_.empty()) return false;
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return false;
  if (const auto address = address_of(name)) return protocol::matches_address(trusted_, *address);
  ucred peer{};
  size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return std::any_of(trusted_.begin(), trusted_.end(), [&](const PeerRule& rule) {
    return (rule.kind == PeerRule::Kind::uid && rule.id == peer.uid) ||
           (rule.kind == PeerRule::Kind::gid && rule.id == peer.gid);
  });
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
