#include "protocol/host_port.hpp"

#include <algorithm>

namespace viaduct::protocol {
namespace {

bool alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool consists_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [others](char c) {
    return alphanumeric(c) || others.find(c) != std::string_view::npos;
  });
}

}  // namespace

bool is_authority(std::string_view text) {
  const auto [host, port] = split_host(text);
  if (port.find_first_not_of("0123456789") != std::string_view::npos) return false;
  if (!host.starts_with('[')) return consists_of(host, "-._~!$&'()*+,;=%");
  return host.ends_with(']') && consists_of(host.substr(1, host.size() - 2), "-._~:%");
}

}  // namespace viaduct::protocol
