#include <viaduct/errors.hpp>
#include <viaduct/values.hpp>

#include "sdk/src/percent.hpp"

namespace viaduct {
inline namespace v1 {

Values::Values(std::string_view encoded, std::size_t max) {
  while (!encoded.empty()) {
    const std::size_t end = encoded.find('&');
    const std::string_view pair = encoded.substr(0, end);
    encoded.remove_prefix(end == std::string_view::npos ? encoded.size() : end + 1);
    if (pair.empty()) continue;
    if (items_.size() == max) throw http_error(400, "too many query parameters");
    const std::size_t equals = pair.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    items_.emplace_back(detail::form_decode(pair.substr(0, equals)), detail::form_decode(value));
  }
}

std::optional<std::string_view> Values::get(std::string_view name) const {
  for (const auto& [key, value] : items_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Values::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : items_) {
    if (key == name) values.emplace_back(value);
  }
  return values;
}

}  // namespace v1
}  // namespace viaduct
