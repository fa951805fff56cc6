#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/src/form/multipart.hpp"

namespace viaduct::test {

/// What a MultipartParser says of a body fed in `pieces`, in text: one line per event, adjacent
/// pieces of content as one, the number of the error at the end. Throws std::logic_error when the
/// parser breaks its own rules: no progress, or bytes from elsewhere.
inline std::string trace_multipart(std::string_view boundary,
                                   const std::vector<std::string_view>& pieces,
                                   const viaduct::detail::MultipartLimits& limits = {}) {
  using viaduct::detail::MultipartError;
  using Kind = viaduct::detail::MultipartEvent::Kind;
  viaduct::detail::MultipartParser parser(boundary, limits);
  std::string text;
  bool in_content = false;
  const auto say = [&](const std::string& line) {
    if (in_content) text += "'\n";
    in_content = false;
    text += line + '\n';
  };
  const auto say_content = [&](std::string_view bytes) {
    if (!in_content) text += '\'';
    in_content = true;
    for (const char c : bytes) {
      if (c == '\r') {
        text += "\\r";
      } else if (c == '\n') {
        text += "\\n";
      } else {
        text += c;
      }
    }
  };
  for (std::string_view piece : pieces) {
    while (!piece.empty() && parser.error() == MultipartError::ok) {
      const std::size_t taken = parser.feed(piece);
      if (taken > piece.size()) throw std::logic_error("took more than it was fed");
      piece.remove_prefix(taken);
      const viaduct::detail::MultipartEvent event = parser.next();
      if (taken == 0 && event.kind == Kind::none) throw std::logic_error("no progress");
      if (event.kind == Kind::part) {
        std::string line = "part";
        for (const auto& [name, value] : event.headers->items()) {
          line.append(" ").append(name).append("=").append(value);
        }
        say(line);
      } else if (event.kind == Kind::data) {
        if (event.bytes.empty()) throw std::logic_error("an empty piece of content");
        say_content(event.bytes);
      } else if (event.kind == Kind::part_end) {
        say("end of part");
      } else if (event.kind == Kind::end) {
        say("end");
      }
    }
  }
  parser.finish();
  if (parser.error() != MultipartError::ok) {
    say("error " + std::to_string(static_cast<int>(parser.error())));
  } else if (in_content) {
    throw std::logic_error("complete within content");
  }
  return text;
}

}  // namespace viaduct::test
