#include "sdk/src/runtime/context.hpp"

#include "sdk/src/request_state.hpp"

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

const Context* Context::running() {
  return current_context;
}

RequestState* Context::current_request() {
  return current().request;
}

std::stop_token Context::stop() const {
  return request != nullptr ? request->control().stop() : task_stop;
}

void ThreadContext::sleep_until(std::chrono::steady_clock::time_point time,
                                const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any slept;
  slept.wait_until(lock, stop, time, [] { return false; });
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
