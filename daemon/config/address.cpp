#include "daemon/config/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace viaduct::daemon::config {
namespace {

constexpr std::size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t kMaxHostName = 253;        // RFC 1035 section 2.3.4, without the root
constexpr std::size_t kMaxDescriptorName = 255;  // sd_listen_fds_with_names(3)

using Parsed = std::variant<Address, std::string>;

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Parsed parse_unix(std::string_view name) {
  if (take_prefix(name, "@")) {
    if (name.empty()) return "expected a name after unix:@";
    if (name.size() + 1 > kMaxSocketPath) return "abstract names have at most 106 bytes";
    return Address{Address::Kind::unix_abstract, std::string(name), 0};
  }
  if (name.empty()) return "expected a path after unix:";
  if (name.size() > kMaxSocketPath) return "socket paths have at most 107 bytes";
  return Address{Address::Kind::unix_path, std::string(name), 0};
}

Parsed parse_tcp(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return "expected tcp:HOST:PORT";
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);

  unsigned port = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, failure] = std::from_chars(digits.data(), end, port);
  if (failure != std::errc{} || stop != end || port < 1 || port > 65535)
    return "expected a port from 1 to 65535 after tcp:HOST:";

  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2) {
    host = host.substr(1, host.size() - 2);
    in6_addr ignored;
    if (inet_pton(AF_INET6, std::string(host).c_str(), &ignored) != 1)
      return "expected an IPv6 address between [ and ]";
  } else if (host.empty() || host.size() > kMaxHostName ||
             host.find_first_of(":[]/ ") != std::string_view::npos) {
    return "expected tcp:HOST:PORT, IPv6 addresses as tcp:[::1]:PORT";
  }
  return Address{Address::Kind::tcp, std::string(host), static_cast<std::uint16_t>(port)};
}

Parsed parse_systemd(std::string_view name) {
  if (name.empty() || name.size() > kMaxDescriptorName || name.find(':') != std::string_view::npos)
    return "expected a descriptor name of 1 to 255 bytes without ':' after systemd:";
  return Address{Address::Kind::systemd, std::string(name), 0};
}

}  // namespace

Parsed parse_address(std::string_view text) {
  if (has_control_character(text)) return "control characters are not allowed in an address";
  if (take_prefix(text, "unix:")) return parse_unix(text);
  if (take_prefix(text, "tcp:")) return parse_tcp(text);
  if (take_prefix(text, "systemd:")) return parse_systemd(text);
  return "expected unix:/path, unix:@name, tcp:HOST:PORT or systemd:NAME";
}

std::string format(const Address& address) {
  switch (address.kind) {
    case Address::Kind::unix_path:
      return "unix:" + address.name;
    case Address::Kind::unix_abstract:
      return "unix:@" + address.name;
    case Address::Kind::systemd:
      return "systemd:" + address.name;
    case Address::Kind::tcp:
      break;
  }
  const bool brackets = address.name.find(':') != std::string::npos;
  const std::string host = brackets ? '[' + address.name + ']' : address.name;
  return "tcp:" + host + ':' + std::to_string(address.port);
}

bool is_ip_address(const Address& address) {
  if (address.kind != Address::Kind::tcp) return false;
  in6_addr ignored;
  return inet_pton(AF_INET, address.name.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, address.name.c_str(), &ignored) == 1;
}

bool is_loopback(const Address& address) {
  if (address.kind != Address::Kind::tcp) return false;
  if (address.name == "localhost") return true;
  in_addr v4;
  if (inet_pton(AF_INET, address.name.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  if (inet_pton(AF_INET6, address.name.c_str(), &v6) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

}  // namespace viaduct::daemon::config
