#include "protocol/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace viaduct::protocol {
namespace {

constexpr std::size_t kMapped = 12;  // bytes before an IPv4 address
constexpr std::array<std::uint8_t, kMapped> kPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

std::optional<IpBytes> parse_ip(std::string_view text) {
  // inet_pton() wants a C string and would not see a NUL.
  std::array<char, INET6_ADDRSTRLEN> line{};
  if (text.empty() || text.size() >= line.size()) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), line.begin());
  IpBytes address{};
  if (text.find(':') != std::string_view::npos) {
    if (::inet_pton(AF_INET6, line.data(), address.data()) != 1) return std::nullopt;
    return address;
  }
  if (::inet_pton(AF_INET, line.data(), address.data() + kMapped) != 1) return std::nullopt;
  std::copy(kPrefix.begin(), kPrefix.end(), address.begin());
  return address;
}

std::string format_ip(const IpBytes& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_ipv4(address)) {
    ::inet_ntop(AF_INET, address.data() + kMapped, text.data(), text.size());
  } else {
    ::inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  }
  return text.data();
}

bool is_ipv4(const IpBytes& address) {
  return std::equal(kPrefix.begin(), kPrefix.end(), address.begin());
}

}  // namespace viaduct::protocol
