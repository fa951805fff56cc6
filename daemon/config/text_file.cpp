#include "daemon/config/text_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace viaduct::daemon::config {

namespace {

// A descriptor of this process: whoever names one decides what it is.
bool is_own_descriptor(const std::string& path) {
  return path == "/dev/stdin" || path.starts_with("/dev/fd/");
}

// 0, or why the file cannot be read without waiting for somebody.
int make_readable(int file, const std::string& path) {
  struct stat status {};
  if (fstat(file, &status) != 0) return errno;
  if (is_own_descriptor(path)) return fcntl(file, F_SETFL, 0) == 0 ? 0 : errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  return S_ISREG(status.st_mode) || S_ISCHR(status.st_mode) ? 0 : ESPIPE;
}

}  // namespace

std::variant<std::string, ReadFailure> read_text_file(const std::string& path) {
  // Opening a pipe waits for a writer unless told not to.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return ReadFailure{errno};
  if (const int why = make_readable(file, path); why != 0) {
    close(file);
    return ReadFailure{why};
  }
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
  if (error == ESPIPE) return "Not a file but a pipe or socket (ESPIPE)";
  const char* name = strerrorname_np(error);
  const char* words = strerrordesc_np(error);
  return std::string(words ? words : "error") + " (" +
         (name ? std::string(name) : std::to_string(error)) + ')';
}

}  // namespace viaduct::daemon::config
