#include <deque>
#include <mutex>

#include <viaduct/wait.hpp>

#include "sdk/src/runtime/context.hpp"

namespace viaduct {
inline namespace v1 {

void sleep_for(std::chrono::milliseconds duration) {
  if (duration <= std::chrono::milliseconds::zero()) return;
  const auto now = std::chrono::steady_clock::now();
  constexpr auto kForever = std::chrono::hours(24 * 365);
  const auto time = duration < kForever ? now + duration : now + kForever;
  detail::Context::current().sleep_until(time);
}

void blocking(const std::function<void()>& work) {
  detail::Context::current().blocking(work);
}

struct Mutex::State {
  struct Waiter {
    detail::Context& context;
    bool owns = false;
  };
  std::mutex guard;
  bool locked = false;
  std::deque<Waiter*> waiters;
};

Mutex::Mutex() : state_(std::make_unique<State>()) {}
Mutex::~Mutex() = default;

bool Mutex::try_lock() {
  const std::lock_guard guard(state_->guard);
  if (state_->locked) return false;
  state_->locked = true;
  return true;
}

void Mutex::lock() {
  if (try_lock()) return;
  detail::Context& context = detail::Context::current();
  context.before_wait();
  std::unique_lock guard(state_->guard);
  if (!state_->locked) {
    state_->locked = true;
    return;
  }
  State::Waiter waiter{context};
  state_->waiters.push_back(&waiter);
  while (!waiter.owns) context.park(guard);
}

// Ownership passes to the longest waiting, so that nobody overtakes it.
void Mutex::unlock() {
  const std::lock_guard guard(state_->guard);
  if (state_->waiters.empty()) {
    state_->locked = false;
    return;
  }
  State::Waiter& next = *state_->waiters.front();
  state_->waiters.pop_front();
  next.owns = true;
  next.context.unpark();
}

}  // namespace v1
}  // namespace viaduct
