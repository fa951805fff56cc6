#include "sdk/src/runtime/context.hpp"

#include <thread>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

thread_local Context* current_context = nullptr;

}  // namespace

Context& Context::current() {
  if (current_context != nullptr) return *current_context;
  thread_local ThreadContext plain;
  return plain;
}

void Context::set_current(Context* context) {
  current_context = context;
}

void ThreadContext::sleep_until(std::chrono::steady_clock::time_point time) {
  std::this_thread::sleep_until(time);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
