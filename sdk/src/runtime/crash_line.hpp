#pragma once

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/crash_mark.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// A line that says something of a crash, composed in memory of its own and cut to kSize bytes.
/// Async-signal-safe.
class CrashLine {
 public:
  /// Below PIPE_BUF: lines of several threads do not mix.
  static constexpr std::size_t kSize = 1024;

  CrashLine() { text(protocol::kCrashMark); }

  /// Control characters become '?'.
  CrashLine& text(std::string_view bytes) {
    for (const char c : bytes) {
      const auto byte = static_cast<unsigned char>(c);
      put(byte < 0x20 || byte == 0x7f ? '?' : c);
    }
    return *this;
  }
  CrashLine& number(std::uintptr_t value, int base = 10) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
    return text({digits.data(), end});
  }
  CrashLine& address(std::uintptr_t value) { return text("0x").number(value, 16); }

  [[nodiscard]] std::string_view bytes() const { return {bytes_.data(), size_}; }
  void write(int fd) {
    bytes_[size_] = '\n';
    [[maybe_unused]] const ssize_t written = ::write(fd, bytes_.data(), size_ + 1);
  }

 private:
  void put(char c) {
    if (size_ + 1 < kSize) bytes_[size_++] = c;
  }

  std::array<char, kSize> bytes_;
  std::size_t size_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
