#pragma once

#include <csignal>
#include <cstddef>
#include <memory>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// A stack for the signal handlers of the calling thread that run on one of their own (SA_ONSTACK),
/// while the object lives; unless the thread has one already. Made and destroyed by that thread.
class SignalStack {
 public:
  SignalStack() {
    stack_t present{};
    if (::sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0) return;
    memory_ = std::make_unique<std::byte[]>(kSize);
    stack_t own{};
    own.ss_sp = memory_.get();
    own.ss_size = kSize;
    if (::sigaltstack(&own, nullptr) != 0) memory_.reset();
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;
  ~SignalStack() {
    if (!memory_) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
  }

 private:
  // What the kernel saves of the processor, and the unwinder.
  static constexpr std::size_t kSize = 64 * 1024;

  std::unique_ptr<std::byte[]> memory_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
