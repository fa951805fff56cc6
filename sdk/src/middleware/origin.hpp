#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include <viaduct/request.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Whether `text` looks like one origin, "scheme://host" or "scheme://host:port" (RFC 6454 section
/// 6.1): nothing that could end a header field or begin another member of it.
[[nodiscard]] inline bool is_origin(std::string_view text) {
  constexpr std::size_t kLongest = 300;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0 || text.size() > kLongest) return false;
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("+-.").find(c) != std::string_view::npos;
  };
  const std::string_view scheme = text.substr(0, colon);
  const std::string_view host = text.substr(colon + 3);
  return std::all_of(scheme.begin(), scheme.end(), plain) && !host.empty() &&
         std::all_of(host.begin(), host.end(), [&](char c) {
           return plain(c) || c == '_' || c == ':' || c == '[' || c == ']';
         });
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
