#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace viaduct::daemon::tool {

// Members of a JSON object of which nothing is certain.

inline const boost::json::value* find_member(const boost::json::value& object,
                                             std::string_view name) {
  if (!object.is_object()) return nullptr;
  return object.get_object().if_contains({name.data(), name.size()});
}

/// Control characters as '?', so that nothing in an answer can command the terminal.
inline std::string printable(std::string_view text) {
  std::string result(text);
  std::replace_if(
      result.begin(), result.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return result;
}

inline std::string text_of(const boost::json::value& object, std::string_view name) {
  const auto* member = find_member(object, name);
  if (member == nullptr || !member->is_string()) return "";
  return printable({member->get_string().data(), member->get_string().size()});
}

inline std::int64_t number_of(const boost::json::value& object, std::string_view name) {
  const auto* member = find_member(object, name);
  boost::json::error_code error;
  if (member == nullptr || !member->is_number()) return 0;
  const auto number = member->to_number<std::int64_t>(error);
  return error ? 0 : number;
}

inline bool flag_of(const boost::json::value& object, std::string_view name) {
  const auto* member = find_member(object, name);
  return member != nullptr && member->is_bool() && member->get_bool();
}

inline const boost::json::array& array_of(const boost::json::value& object, std::string_view name) {
  static const boost::json::array kNone;
  const auto* member = find_member(object, name);
  return member == nullptr || !member->is_array() ? kNone : member->get_array();
}

}  // namespace viaduct::daemon::tool
