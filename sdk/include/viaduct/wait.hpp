#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {

/// Waiting that suits the concurrency model: in a fiber it suspends the fiber, elsewhere the
/// thread. In handlers use these instead of their namesakes in the standard library.

/// Returns after at least that long, or as soon as stop() of the caller's request fires, or the
/// token of the caller's background task: a loop looks at stop_requested(). Once stop() has fired
/// it lasts 10 ms at most. Returns at once for a duration that is not positive.
VIADUCT_API void sleep_for(std::chrono::milliseconds duration);

/// Runs `work` on a thread where blocking is fine, waits for it, and passes on what it throws. With
/// threads, and outside of handlers, that is the calling thread.
VIADUCT_API void blocking(const std::function<void()>& work);

/// Mutual exclusion that may be held across a wait, such as reading a body; a std::mutex must not,
/// under fibers. First come, first served. Works with std::lock_guard and std::unique_lock, between
/// handlers of either model and any other thread. Not recursive. stop() does not end the wait.
class VIADUCT_API Mutex {
 public:
  Mutex();
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  ~Mutex();

  void lock();
  bool try_lock();
  void unlock();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace v1
}  // namespace viaduct
