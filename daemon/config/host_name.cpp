#include "daemon/config/host_name.hpp"

#include <algorithm>
#include <string_view>

namespace viaduct::daemon::config {
namespace {

constexpr std::size_t kMaxLabel = 63;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_label(std::string_view label) {
  const auto allowed = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  };
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), allowed);
}

}  // namespace

bool is_host_name(const Address& address) {
  if (address.kind != Address::Kind::tcp) return false;
  std::string_view rest = address.name;
  if (rest.ends_with('.')) rest.remove_suffix(1);
  for (;;) {
    const auto dot = std::min(rest.find('.'), rest.size());
    const std::string_view label = rest.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == rest.size()) return !std::all_of(label.begin(), label.end(), is_digit);
    rest.remove_prefix(dot + 1);
  }
}

}  // namespace viaduct::daemon::config
