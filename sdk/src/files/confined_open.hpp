#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// A descriptor that is closed with its owner; -1 for none.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor();

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// Opens a file for reading without waiting for anything (pipes, leases). Without success errno
/// says why.
[[nodiscard]] FileDescriptor open_file(const std::filesystem::path& path);

/// The same for a path that comes from outside: what it names lies below `root`, or errno is EXDEV,
/// ELOOP or ENOENT. Absolute paths, "..", and NUL are refused. Symbolic links below `root` may
/// point to what lies below it; where the kernel has no openat2(2) none is followed. `root` is
/// trusted.
[[nodiscard]] FileDescriptor open_beneath(const std::filesystem::path& root,
                                          std::string_view relative);

/// As open_beneath() where the kernel has no openat2(2).
[[nodiscard]] FileDescriptor open_beneath_stepwise(const std::filesystem::path& root,
                                                   std::string_view relative);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
