#include "sdk/src/cookie_header.hpp"

#include "protocol/text.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

std::optional<std::string_view> find_cookie(std::string_view field, std::string_view name) {
  while (!field.empty()) {
    // Not at a comma, even though Apache and Caddy join repeated Cookie fields with one: whoever
    // can set one cookie could add others to its value, "__Host-" ones included.
    const std::size_t end = field.find(';');
    const std::string_view pair = field.substr(0, end);
    field.remove_prefix(end == std::string_view::npos ? field.size() : end + 1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    if (protocol::trim(pair.substr(0, equals)) != name) continue;
    std::string_view value = protocol::trim(pair.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return value;
  }
  return std::nullopt;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
