#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <latch>
#include <thread>
#include <vector>

#include "sdk/src/dispatcher.hpp"
#include "sdk/src/runtime/context.hpp"
#include "sdk/src/runtime/engine.hpp"
#include "sdk/src/runtime/executor.hpp"
#include "sdk/src/runtime/stack_probe.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// The model `threads`: limit + 1 equal threads, of which at most `limit` run handlers, so that one
/// is always left for input and output.
///
/// Handing a request to another thread costs more than a brief handler does. So the thread that
/// received a batch runs it too, one request after the other, sends the answers together, and
/// receives again; the others sleep. That would be unfair once a handler takes long, hence:
///
/// - One thread, the *standby*, looks about every millisecond while there is something to do. When
///   nothing has moved since it looked last and nobody performs input, it takes over what is left
///   of the batch, and the input.
/// - When handlers are not brief as a rule, a thread that begins one wakes another at once.
/// - A handler that waits hands the batch over first. It may perform input itself while it waits,
///   until a request of somebody else comes: it never runs another handler, so whoever runs that
///   one performs input from then on.
class ThreadExecutor final : public Executor {
 public:
  ThreadExecutor(Engine& engine, const Dispatcher& dispatcher,
                 std::function<void()> on_thread_start);

  void run() override;
  void wait(std::unique_lock<std::mutex>& lock, Exchange& exchange) override;
  void wake(Exchange& exchange) override;
  StackFrames trace(Exchange& exchange) override;
  void stop() override;

 private:
  using Lock = Engine::Lock;

  class Worker final : public ThreadContext {
   public:
    explicit Worker(ThreadExecutor& executor) : executor_(executor) {}
    void before_wait() override { executor_.hand_over(); }
    void sleep_until(std::chrono::steady_clock::time_point time,
                     const std::stop_token& stop) override;

    const pthread_t thread = ::pthread_self();

   private:
    ThreadExecutor& executor_;
  };

  void work(std::latch& hooks_returned);
  void start(std::latch& hooks_returned);
  void perform_io(Lock& lock);
  void lead(Lock& lock);
  void handle(Lock& lock, Exchange& exchange, Worker& worker);
  void idle(Lock& lock);
  void stand_by(Lock& lock);
  void see_to_standby();
  void rouse_standby();
  void hand_over();
  void leave_it_to_others();
  void park(Lock& lock, Exchange& exchange);
  void call_somebody();
  void vacated();
  [[nodiscard]] bool brief() const;

  Engine& engine_;
  const Dispatcher& dispatcher_;
  const std::function<void()> on_thread_start_;
  StackProbe probe_;

  // Guarded by the engine's mutex.
  bool stopped_ = false;
  std::exception_ptr start_failure_;  // what on_thread_start_ threw
  bool leading_ = false;              // a thread performs input and output
  std::thread::id leader_;            // which one
  bool standby_present_ = false;
  bool standby_called_ = false;   // it is to work, whatever it sees
  bool standby_dormant_ = false;  // it sleeps until there is something to do
  std::uint32_t followers_ = 0;   // threads that sleep until they are called
  std::uint32_t waiting_ = 0;     // handlers that wait for others' input and output
  std::uint64_t progress_ = 0;
  std::chrono::nanoseconds usual_{0};  // time of a handler, averaged
  std::condition_variable follower_;
  std::condition_variable standby_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
