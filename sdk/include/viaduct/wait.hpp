#pragma once

/// @file
/// Waiting that suits the concurrency model: in a fiber it suspends the fiber, elsewhere the
/// thread. In handlers use these instead of their namesakes in the standard library.

#include <chrono>
#include <functional>
#include <memory>

#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {

/// Returns after at least that long, or as soon as stop() of the caller's request fires, or the
/// token of the caller's background task: a loop looks at stop_requested(). Once stop() has fired
/// it lasts 10 ms at most. Returns at once for a duration that is not positive.
VIADUCT_API void sleep_for(std::chrono::milliseconds duration);

/// Runs `work` on a thread where blocking is fine, waits for it, and passes on what it throws. With
/// threads, and outside of handlers, that is the calling thread; with fibers one of 16, which all
/// requests share. stop() does not end the wait. `work` may use what the handler uses, other than
/// its Body and its Response. It must not end its thread (pthread_exit): with fibers that ends the
/// process.
VIADUCT_API void blocking(const std::function<void()>& work);

/// Mutual exclusion that may be held across a wait, such as reading a body; a std::mutex must not,
/// under fibers. First come, first served. Works with std::lock_guard and std::unique_lock, between
/// handlers of either model and any other thread. Not recursive. stop() does not end the wait.
class VIADUCT_API Mutex {
 public:
  /// Unlocked.
  Mutex();
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  /// Nobody may hold it or wait for it.
  ~Mutex();

  /// Waits until the caller holds it.
  void lock();
  /// Without waiting: whether the caller holds it now.
  bool try_lock();
  /// Hands it to who has waited longest. For the holder only.
  void unlock();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace v1
}  // namespace viaduct
