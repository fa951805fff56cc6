#include <algorithm>

#include <viaduct/fields.hpp>

#include "sdk/src/chars.hpp"

namespace viaduct {
inline namespace v1 {
namespace {

using detail::equal_nocase;

void check(std::string_view name, std::string_view value) {
  if (!detail::is_token(name)) {
    throw invalid_header("header field name is not a token");
  }
  if (!std::all_of(value.begin(), value.end(), detail::is_field_char)) {
    throw invalid_header("value of header field " + std::string(name) +
                         " holds a line break or another control character");
  }
}

}  // namespace

std::optional<std::string_view> Fields::get(std::string_view name) const {
  for (const auto& [key, value] : items_) {
    if (equal_nocase(key, name)) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Fields::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : items_) {
    if (equal_nocase(key, name)) values.emplace_back(value);
  }
  return values;
}

Fields& Fields::set(std::string_view name, std::string_view value) {
  check(name, value);
  const auto same = [name](const auto& item) { return equal_nocase(item.first, name); };
  const auto first = std::find_if(items_.begin(), items_.end(), same);
  if (first == items_.end()) {
    items_.emplace_back(name, value);
  } else {
    // The arguments may be views of what is replaced or removed.
    std::pair<std::string, std::string> item(name, value);
    items_.erase(std::remove_if(std::next(first), items_.end(), same), items_.end());
    *first = std::move(item);
  }
  return *this;
}

Fields& Fields::add(std::string_view name, std::string_view value) {
  check(name, value);
  items_.push_back({std::string(name), std::string(value)});
  return *this;
}

bool Fields::erase(std::string_view name) {
  const std::string key(name);
  return std::erase_if(items_, [&key](const auto& item) { return equal_nocase(item.first, key); }) >
         0;
}

}  // namespace v1
}  // namespace viaduct
