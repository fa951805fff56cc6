#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store.hpp"

namespace notes {

/// What every page shows or needs.
struct Frame {
  std::string name;        ///< the visitor's; empty when they have not said
  std::string csrf_token;  ///< to be sent back with every form; empty: the page has none
  std::string message;     ///< of what has just been done; may be empty
  /// A path of the application as a link, with the prefix under which it is mounted.
  std::function<std::string(std::string_view path)> url;
};

/// Whole pages as HTML. Whatever came from outside is escaped here and nowhere else.
[[nodiscard]] std::string list_page(const Frame& frame, const std::vector<Note>& found,
                                    std::string_view words);
[[nodiscard]] std::string note_page(const Frame& frame, const Note& note,
                                    const std::vector<Attachment>& attachments);
[[nodiscard]] std::string error_page(const Frame& frame, int status, std::string_view text);

}  // namespace notes
