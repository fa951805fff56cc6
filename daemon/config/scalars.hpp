// The small notations of the configuration: text to number and back, without positions.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace viaduct::daemon::config {

// Digits without sign or leading zeros.
std::optional<std::uint64_t> parse_integer(std::string_view text);

// A whole number with ms, s, m, h or d; or a bare 0. Absent also when it exceeds 36500 days.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::milliseconds duration);

// A whole number of bytes, or one with KiB, MiB, GiB or TiB. Absent also beyond 2^63 - 1 bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

// Three or four octal digits, or with a leading 0o: "0660", "660", "0o660". Read as text, so that
// it does not matter what YAML 1.1 or 1.2 makes of an unquoted 0660.
std::optional<mode_t> parse_mode(std::string_view text);
std::string format_mode(mode_t mode);

// "SIGTERM" and the other signals that ask a process to stop; 0 for anything else.
int parse_stop_signal(std::string_view text);
std::string format_signal(int signal);

// The text as a YAML flow scalar: quoted when it would otherwise read as something else.
std::string quote_yaml(std::string_view text);

}  // namespace viaduct::daemon::config
