#include <algorithm>
#include <mutex>
#include <stop_token>

#include <viaduct/permits.hpp>
#include <viaduct/wait.hpp>

#include "sdk/src/runtime/context.hpp"

namespace viaduct {
inline namespace v1 {
namespace {

constexpr std::chrono::hours kForever{24 * 365};
// A loop around sleep_for() that does not look at stop() must not spin once it has fired.
constexpr std::chrono::milliseconds kLongestOnceStopped{10};

}  // namespace

void sleep_for(std::chrono::milliseconds duration) {
  if (duration <= std::chrono::milliseconds::zero()) return;
  detail::Context& context = detail::Context::current();
  std::stop_token stop = context.stop();
  if (stop.stop_requested()) {
    duration = std::min(duration, kLongestOnceStopped);
    stop = {};
  }
  const auto now = std::chrono::steady_clock::now();
  context.sleep_until(duration < kForever ? now + duration : now + kForever, stop);
}

void blocking(const std::function<void()>& work) {
  detail::Context::current().blocking(work);
}

struct Mutex::State {
  std::mutex guard;
  detail::Permits permit{1};
};

Mutex::Mutex() : state_(std::make_unique<State>()) {}
Mutex::~Mutex() = default;

bool Mutex::try_lock() {
  const std::lock_guard guard(state_->guard);
  return state_->permit.try_take();
}

void Mutex::lock() {
  std::unique_lock guard(state_->guard);
  state_->permit.take(guard, detail::Permits::Stop::ignored);
}

void Mutex::unlock() {
  const std::lock_guard guard(state_->guard);
  state_->permit.give();
}

}  // namespace v1
}  // namespace viaduct
