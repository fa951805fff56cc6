#pragma once

#include <charconv>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {

/// How much a log line matters. Lines of every level are written; who takes them may choose.
enum class Level : std::uint8_t {
  debug,  ///< for who looks into the application
  info,   ///< what happened in the normal course
  warn,   ///< went on, but somebody should know; "warning" on standard error
  error,  ///< something failed
};

namespace detail {

/// With the id of the request whose handler calls.
VIADUCT_API void write_log(Level level, std::string_view text);
VIADUCT_API void write_log(Level level, std::string_view request_id, std::string_view text);

template <class Part>
void append_text(std::string& to, const Part& part) {
  if constexpr (std::is_convertible_v<const Part&, std::string_view>) {
    to += static_cast<std::string_view>(part);
  } else if constexpr (std::is_same_v<Part, bool>) {
    to += part ? "true" : "false";
  } else if constexpr (std::is_same_v<Part, char>) {
    to += part;
  } else if constexpr (std::is_arithmetic_v<Part>) {
    char digits[64];
    const auto end = std::to_chars(digits, digits + sizeof digits, part);
    to.append(digits, end.ptr);
  } else {
    std::ostringstream stream;
    stream << part;
    to += stream.str();
  }
}

}  // namespace detail

/// Writes one line: the parts one behind the other, strings as they are, numbers in decimal,
/// others through operator<<. It goes to App::log_sink, else to standard error, from where viaductd
/// takes it with the name of the app and the process id. In a handler, and in what it runs through
/// blocking(), the request's id stands in front, in brackets. Control characters are escaped, so
/// that a line stays one line. May be called from any thread.
template <class... Parts>
void log(Level level, const Parts&... parts) {
  std::string text;
  (detail::append_text(text, parts), ...);
  detail::write_log(level, text);
}

}  // namespace v1
}  // namespace viaduct
