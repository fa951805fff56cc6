// Reads small files whole.
#pragma once

#include <cstddef>
#include <string>
#include <variant>

#include "daemon/config/account.hpp"

namespace viaduct::daemon::config {

inline constexpr std::size_t kMaxFileBytes = 1 << 20;  // of a configuration file or an env_file

struct ReadFailure {
  int error = 0;  // errno; EFBIG: longer than kMaxFileBytes; ESPIPE: a pipe or socket
};

// Reads a regular file or a character device. Pipes are read only by the names /dev/stdin and
// /dev/fd/N: others could keep the reader waiting for ever.
std::variant<std::string, ReadFailure> read_text_file(const std::string& path);

// The same with the rights of that user, which this process must be allowed to take (root). For
// files that somebody else may exchange: nothing is read that he could not read himself.
std::variant<std::string, ReadFailure> read_text_file_as(const Account& user,
                                                         const std::string& path);

// "No such file or directory (ENOENT)".
std::string describe_errno(int error);

}  // namespace viaduct::daemon::config
