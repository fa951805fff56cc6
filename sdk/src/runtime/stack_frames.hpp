#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Where a thread or fiber is: addresses of code, the innermost first, each within the instruction
/// that it executes or the call that it waits for. Of a stack that is too deep the frames in the
/// middle are left out.
class StackFrames {
 public:
  /// Notes the stack of the caller, without the first `skip` frames, of which the caller's own is
  /// one. Async-signal-safe.
  void capture(std::size_t skip) noexcept;

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::span<const std::uintptr_t> inner() const {
    return std::span(frames_).first(count_ < kInner ? count_ : kInner);
  }
  /// Behind `omitted()` frames.
  [[nodiscard]] std::span<const std::uintptr_t> outer() const {
    if (count_ <= kInner) return {};
    return std::span(frames_).subspan(kInner, omitted() > 0 ? kOuter : count_ - kInner);
  }
  [[nodiscard]] std::size_t omitted() const {
    return count_ > frames_.size() ? count_ - frames_.size() : 0;
  }

 private:
  static constexpr std::size_t kInner = 48;
  static constexpr std::size_t kOuter = 48;

  void add(std::uintptr_t frame) noexcept;

  std::array<std::uintptr_t, kInner + kOuter> frames_{};
  std::size_t count_ = 0;  // of the whole stack
  std::size_t skip_ = 0;   // still to be left out

  friend struct StackWalk;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
