// Reads small files whole.
#pragma once

#include <cstddef>
#include <string>
#include <variant>

namespace viaduct::daemon::config {

inline constexpr std::size_t kMaxFileBytes = 1 << 20;  // of a configuration file or an env_file

struct ReadFailure {
  int error = 0;  // errno; EFBIG: longer than kMaxFileBytes
};

std::variant<std::string, ReadFailure> read_text_file(const std::string& path);

// "No such file or directory (ENOENT)".
std::string describe_errno(int error);

}  // namespace viaduct::daemon::config
