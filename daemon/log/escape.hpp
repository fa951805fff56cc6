#pragma once

#include <string>
#include <string_view>

namespace viaduct::daemon::log {

/// Makes bytes from outside safe for a line of text: \t \n \r \\ and \xNN for other control
/// characters (C0, DEL, C1) and for every byte that is no valid UTF-8. Valid text is kept.
std::string escape(std::string_view bytes);

/// The same but for backslashes, which are kept: text that was escaped stays as it is. For what
/// others should have escaped, and is going to be shown on a terminal.
std::string escape_controls(std::string_view bytes);

/// The same for a line of JSON, which stays one: \uNNNN for control characters, U+FFFD for bytes
/// that are no valid UTF-8.
std::string escape_json_controls(std::string_view bytes);

/// Only what JSON cannot carry: bytes that are no valid UTF-8 become \xNN, control characters are
/// left to the JSON writer.
std::string escape_invalid_utf8(std::string_view bytes);

}  // namespace viaduct::daemon::log
