#include "daemon/config/text_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace viaduct::daemon::config {

std::variant<std::string, ReadFailure> read_text_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return ReadFailure{errno};
  std::string text;
  char block[16'384];
  int error = 0;
  for (;;) {
    const ssize_t count = read(file, block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) error = errno;
    if (count <= 0) break;
    text.append(block, static_cast<std::size_t>(count));
    if (text.size() > kMaxFileBytes) {
      error = EFBIG;
      break;
    }
  }
  close(file);
  if (error != 0) return ReadFailure{error};
  return text;
}

std::string describe_errno(int error) {
  if (error == EFBIG) return "File too large (EFBIG): at most 1 MiB is read";
  const char* name = strerrorname_np(error);
  const char* words = strerrordesc_np(error);
  return std::string(words ? words : "error") + " (" +
         (name ? std::string(name) : std::to_string(error)) + ')';
}

}  // namespace viaduct::daemon::config
