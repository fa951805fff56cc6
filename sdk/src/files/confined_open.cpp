#include "sdk/src/files/confined_open.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

// Without O_NONBLOCK a pipe would be waited for.
constexpr int kRead = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

// Splits the first component off.
std::string_view take_component(std::string_view& path) {
  const std::size_t slash = path.find('/');
  const std::string_view first = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return first;
}

bool acceptable(std::string_view relative) {
  if (relative.empty() || relative.front() == '/' || relative.back() == '/') return false;
  if (relative.find('\0') != std::string_view::npos) return false;
  while (!relative.empty()) {
    if (take_component(relative) == "..") return false;
  }
  return true;
}

FileDescriptor open_root(const std::filesystem::path& root) {
  return FileDescriptor(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

FileDescriptor refuse() {
  errno = ENOENT;
  return FileDescriptor();
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  const int error = errno;
  if (fd_ >= 0) ::close(fd_);
  errno = error;
}

FileDescriptor open_file(const std::filesystem::path& path) {
  return FileDescriptor(::open(path.c_str(), kRead));
}

FileDescriptor open_beneath_stepwise(const std::filesystem::path& root, std::string_view relative) {
  if (!acceptable(relative)) return refuse();
  FileDescriptor at = open_root(root);
  while (at) {
    const std::string name(take_component(relative));
    const bool last = relative.empty();
    if (name.empty() || name == ".") {
      // A path that ends so names a directory.
      if (last) return refuse();
      continue;
    }
    const int flags = last ? kRead | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    at = FileDescriptor(::openat(at.get(), name.c_str(), flags));
    if (last) break;
  }
  return at;
}

FileDescriptor open_beneath(const std::filesystem::path& root, std::string_view relative) {
  if (!acceptable(relative)) return refuse();
  const FileDescriptor at = open_root(root);
  if (!at) return FileDescriptor();
  open_how how{};
  how.flags = kRead;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const std::string path(relative);
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    const auto fd =
        static_cast<int>(::syscall(SYS_openat2, at.get(), path.c_str(), &how, sizeof how));
    if (fd >= 0) return FileDescriptor(fd);
    // EAGAIN: something was renamed meanwhile, and the kernel could not tell where it led.
    if (errno != EAGAIN) break;
  }
  // Seccomp filters answer EPERM for what they do not know.
  if (errno == ENOSYS || errno == EPERM) return open_beneath_stepwise(root, relative);
  return FileDescriptor();
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
