#pragma once

#include <cstddef>

// The sanitizers have to be told of every change of stack; Debian's build of Boost.Context does
// not.

#if defined(__SANITIZE_ADDRESS__)
#define VIADUCT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VIADUCT_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define VIADUCT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VIADUCT_TSAN 1
#endif
#endif

#ifdef VIADUCT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef VIADUCT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace sanitizer {

/// Before a switch to the stack given; `fake_stack` keeps what belongs to the one that is left.
inline void start_switch([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* bottom,
                         [[maybe_unused]] std::size_t size) {
#ifdef VIADUCT_ASAN
  __sanitizer_start_switch_fiber(fake_stack, bottom, size);
#endif
}

/// Before the last switch away from a stack.
inline void leave_for_good([[maybe_unused]] const void* bottom, [[maybe_unused]] std::size_t size) {
#ifdef VIADUCT_ASAN
  __sanitizer_start_switch_fiber(nullptr, bottom, size);
#endif
}

/// Behind a switch; `bottom` and `size` receive the stack that was left, unless null.
inline void finish_switch([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** bottom,
                          [[maybe_unused]] std::size_t* size) {
#ifdef VIADUCT_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, bottom, size);
#endif
}

/// Behind the end of a stack: other memory may be mapped where it was.
inline void forget_stack([[maybe_unused]] const void* bottom, [[maybe_unused]] std::size_t size) {
#ifdef VIADUCT_ASAN
  __asan_unpoison_memory_region(bottom, size);
#endif
}

[[nodiscard]] inline void* create_thread() {
#ifdef VIADUCT_TSAN
  return __tsan_create_fiber(0);
#else
  return nullptr;
#endif
}

[[nodiscard]] inline void* current_thread() {
#ifdef VIADUCT_TSAN
  return __tsan_get_current_fiber();
#else
  return nullptr;
#endif
}

inline void switch_thread([[maybe_unused]] void* to) {
#ifdef VIADUCT_TSAN
  __tsan_switch_to_fiber(to, 0);
#endif
}

inline void destroy_thread([[maybe_unused]] void* thread) {
#ifdef VIADUCT_TSAN
  __tsan_destroy_fiber(thread);
#endif
}

}  // namespace sanitizer
}  // namespace detail
}  // namespace v1
}  // namespace viaduct
