#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <viaduct/request.hpp>

#include "store.hpp"

namespace notes {

/// What pages and JSON interface ask of a request alike. Members that require something throw
/// viaduct::http_error with the status that says what is missing.

/// A note as somebody wants it to be.
struct Draft {
  std::string title;
  std::string text;
};

/// A title of 1 to 200 bytes, else 400; a text of at most 64 KiB, else 413.
[[nodiscard]] Draft checked(std::string_view title, std::string_view text);

/// Who is writing; empty when they have not said.
[[nodiscard]] std::string visitor(viaduct::Request& req);
/// 403 when they have not said.
[[nodiscard]] std::string required_visitor(viaduct::Request& req);

/// The note of the route's capture `id`, else 404.
[[nodiscard]] Note required_note(Store& store, viaduct::Request& req);
/// The same, and 403 when somebody else wrote it.
[[nodiscard]] Note own_note(Store& store, viaduct::Request& req);

/// Where a note is, relative to the pages and to the JSON interface.
[[nodiscard]] std::string path_of(std::int64_t note);

}  // namespace notes
