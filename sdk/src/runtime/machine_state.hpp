#pragma once

#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// The registers that a signal handler interrupted, which the unwinder goes on from. Of other
/// machines than x86-64 and AArch64 nothing is known. Async-signal-safe.
class MachineState {
 public:
#if defined(__x86_64__)
  explicit MachineState(ucontext_t& context)
      : pc_(context.uc_mcontext.gregs[REG_RIP]), sp_(context.uc_mcontext.gregs[REG_RSP]) {}
#elif defined(__aarch64__)
  explicit MachineState(ucontext_t& context)
      : pc_(context.uc_mcontext.pc),
        sp_(context.uc_mcontext.sp),
        link_(context.uc_mcontext.regs[30]) {}
#else
  explicit MachineState(ucontext_t&) : pc_(none_), sp_(none_) {}
#endif

  /// Whether an access there means that the stack has no room left: around its end, which nobody
  /// may access.
  [[nodiscard]] bool is_beyond_stack(std::uintptr_t address) const {
    const auto sp = static_cast<std::uintptr_t>(sp_);
    return sp != 0 && address + kAround > sp && address < sp + kAround;
  }

  /// Whether it faulted because there is no code to execute at `address`.
  [[nodiscard]] bool jumped_to(std::uintptr_t address) const {
    return sp_ != 0 && static_cast<std::uintptr_t>(pc_) == address;
  }

  /// Back into the function that made such a jump, when it was a call. restore() undoes that.
  void step_out() {
    former_pc_ = pc_;
    former_sp_ = sp_;
#if defined(__x86_64__)
    std::uintptr_t caller = 0;
    iovec into{&caller, sizeof caller};
    iovec from{reinterpret_cast<void*>(sp_), sizeof caller};
    // The stack may be what is broken.
    if (::process_vm_readv(::getpid(), &into, 1, &from, 1, 0) != sizeof caller) return;
    pc_ = static_cast<greg_t>(caller - 1);
    sp_ += sizeof caller;
#elif defined(__aarch64__)
    pc_ = link_ - 1;
#endif
  }
  void restore() {
    pc_ = former_pc_;
    sp_ = former_sp_;
  }

 private:
  static constexpr std::uintptr_t kAround = 64 * 1024;

#if defined(__x86_64__)
  using Register = greg_t;
#else
  using Register = unsigned long long;
#endif
  [[maybe_unused]] Register none_ = 0;
  Register& pc_;
  Register& sp_;
#if defined(__aarch64__)
  const Register link_;
#endif
  Register former_pc_ = 0;
  Register former_sp_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
