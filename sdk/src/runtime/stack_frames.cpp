#include "sdk/src/runtime/stack_frames.hpp"

#include <unwind.h>

#include <algorithm>

namespace viaduct {
inline namespace v1 {
namespace detail {

// What the unwinder calls for every frame.
struct StackWalk {
  static _Unwind_Reason_Code visit(_Unwind_Context* context, void* frames) {
    int exact = 0;
    const std::uintptr_t address = _Unwind_GetIPInfo(context, &exact);
    if (address == 0) return _URC_END_OF_STACK;
    // A return address may belong to the next line, or to the next function.
    static_cast<StackFrames*>(frames)->add(exact != 0 ? address : address - 1);
    return _URC_NO_REASON;
  }
};

void StackFrames::add(std::uintptr_t frame) noexcept {
  if (skip_ > 0) {
    --skip_;
    return;
  }
  const std::size_t at = count_ < kInner ? count_ : kInner + (count_ - kInner) % kOuter;
  frames_[at] = frame;
  ++count_;
}

__attribute__((noinline)) void StackFrames::capture(std::size_t skip) noexcept {
  count_ = 0;
  skip_ = skip + 1;
  _Unwind_Backtrace(&StackWalk::visit, this);
  if (omitted() == 0) return;
  const auto outer_frames = frames_.begin() + kInner;
  std::rotate(outer_frames, outer_frames + (count_ - kInner) % kOuter, frames_.end());
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
