#include "sdk/src/events/event_format.hpp"

#include <stdexcept>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

void add_field(std::string& text, std::string_view name, std::string_view value) {
  text += name;
  text += ": ";
  text += value;
  text += '\n';
}

// Takes a line from the front, its end included; CRLF is one end.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find_first_of("\r\n");
  const std::string_view line = text.substr(0, end);
  const std::size_t size = end == std::string_view::npos   ? 0
                           : text.substr(end, 2) == "\r\n" ? 2
                                                           : 1;
  text.remove_prefix(line.size() + size);
  return line;
}

}  // namespace

std::string format_event(std::string_view data, std::string_view event, std::string_view id) {
  using namespace std::string_view_literals;
  if (event.find_first_of("\r\n") != std::string_view::npos) {
    throw std::invalid_argument("the type of an event is one line");
  }
  if (id.find_first_of("\r\n\0"sv) != std::string_view::npos) {
    throw std::invalid_argument("the id of an event is one line without NUL");
  }
  std::string text;
  text.reserve(data.size() + event.size() + id.size() + 32);
  if (!event.empty()) add_field(text, "event", event);
  if (!id.empty()) add_field(text, "id", id);
  bool more = true;
  while (more) {
    const std::size_t before = data.size();
    const std::string_view line = take_line(data);
    more = before != line.size();  // a line end promises another line
    add_field(text, "data", line);
  }
  text += '\n';
  return text;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
