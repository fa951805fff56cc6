#pragma once

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

/// Whether UTF-8 goes on with a control character of C1 (U+0080 to U+009F), which is two bytes.
inline bool begins_with_c1(std::string_view text) {
  return text.size() >= 2 && text[0] == '\xc2' && static_cast<unsigned char>(text[1]) < 0xa0;
}

/// Control characters as '?', so that nothing in an answer can command the terminal.
inline std::string printable(std::string_view text) {
  std::string result;
  for (; !text.empty(); text.remove_prefix(1)) {
    const auto c = static_cast<unsigned char>(text.front());
    const bool c1 = begins_with_c1(text);
    if (c1) text.remove_prefix(1);
    result += c < 0x20 || c == 0x7f || c1 ? '?' : text.front();
  }
  return result;
}

/// The same JSON with the control characters that JSON allows in strings (DEL and C1) escaped.
inline std::string printable_json(std::string_view json) {
  std::string result;
  for (; !json.empty(); json.remove_prefix(1)) {
    const bool c1 = begins_with_c1(json);
    if (c1) json.remove_prefix(1);
    if (c1 || json.front() == '\x7f') {
      constexpr std::string_view kDigits = "0123456789abcdef";
      const auto code = static_cast<unsigned char>(json.front());
      result.append("\\u00").append({kDigits[code >> 4], kDigits[code & 15]});
    } else {
      result += json.front();
    }
  }
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
