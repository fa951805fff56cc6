#pragma once

#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <chrono>
#include <csignal>

#include "sdk/src/runtime/stack_frames.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Takes stack traces of threads, whatever they are doing: a signal (SIGURG, which is ignored by
/// default) interrupts one, and the handler notes its frames. The signal may end a system call of
/// that thread with EINTR. Where the application or a sanitizer has uses of its own for the signal,
/// there are no traces.
///
/// Outlives the threads that it is asked for; the one that destroys it excepted.
class StackProbe {
 public:
  StackProbe();
  StackProbe(const StackProbe&) = delete;
  StackProbe& operator=(const StackProbe&) = delete;
  ~StackProbe();

  /// What `thread` is doing, the caller perhaps; nothing when it does not answer within `patience`,
  /// since it blocks the signal. It should have a SignalStack. One caller at a time.
  [[nodiscard]] StackFrames take(pthread_t thread, std::chrono::milliseconds patience);

 private:
  enum class State : unsigned { idle, asked, noting, noted };

  static void on_signal(int number, siginfo_t* info, void* context);
  bool await_note(std::chrono::milliseconds patience);

  bool installed_ = false;
  sem_t noted_{};
  std::atomic<State> state_{State::idle};
  static_assert(std::atomic<State>::is_always_lock_free);
  pthread_t asked_{};  // changes in State::idle only, like frames_
  StackFrames frames_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
