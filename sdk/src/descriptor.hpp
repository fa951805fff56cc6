#pragma once

#include <unistd.h>

#include <utility>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// A file descriptor that is closed with the object; negative: none.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  /// Hands it to the caller, who closes it.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
