#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/intrusive/set.hpp>

#include "sdk/src/dispatcher.hpp"
#include "sdk/src/runtime/context.hpp"
#include "sdk/src/runtime/engine.hpp"
#include "sdk/src/runtime/executor.hpp"
#include "sdk/src/runtime/fiber.hpp"
#include "sdk/src/runtime/fiber_options.hpp"
#include "sdk/src/runtime/stack_probe.hpp"
#include "sdk/src/runtime/stall_detector.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// The model `fibers`: one thread, the loop, performs input and output and runs a fiber per
/// request, each until it waits. Fibers never leave the loop.
///
/// A handler that computes holds the loop up. So a second thread, the *reserve*, looks from time to
/// time while there is something to do; when the loop has not moved since it looked last, it
/// performs input in its place: the peer's questions are answered, and aborts reach stop(). It also
/// reports handlers that hold the loop up for long, with what they are doing.
class FiberExecutor final : public Executor {
 public:
  FiberExecutor(Engine& engine, const Dispatcher& dispatcher, std::function<void()> on_thread_start,
                const FiberOptions& options);
  ~FiberExecutor() override;

  void run() override;
  void wait(std::unique_lock<std::mutex>& lock, Exchange& exchange) override;
  void wake(Exchange& exchange) override;
  StackFrames trace(Exchange& exchange) override;
  void stop() override;

 private:
  using Lock = Engine::Lock;
  using Clock = std::chrono::steady_clock;

  /// A fiber, and where it waits.
  class Task final : public Context {
   public:
    Task(FiberExecutor& executor, std::size_t stack_size)
        : fiber(stack_size), executor_(executor) {}
    void park(std::unique_lock<std::mutex>& lock) override;
    void unpark() override { executor_.make_ready(*this); }
    void sleep_until(Clock::time_point time, const std::stop_token& stop) override;
    void blocking(const std::function<void()>& work) override;
    [[nodiscard]] const char* kind() const override { return "fiber"; }

    Fiber fiber;
    Exchange* exchange = nullptr;  // the request in hand
    Clock::time_point wake_at{};
    boost::intrusive::set_member_hook<> sleeper_hook;
    [[nodiscard]] bool operator<(const Task& other) const { return wake_at < other.wake_at; }

   private:
    FiberExecutor& executor_;
  };
  using Sleepers = boost::intrusive::multiset<
      Task, boost::intrusive::member_hook<Task, boost::intrusive::set_member_hook<>,
                                          &Task::sleeper_hook>>;

  void launch(Lock& lock, Exchange& exchange);
  void resume(Lock& lock, Task& task);
  void settle(Task& task);
  void resume_ready(Lock& lock);
  void perform_io(Lock& lock, bool block);
  void watch();
  void report(Lock& lock, const StallDetector::Report& stall);

  // From any thread.
  void make_ready(Task& task);
  void add_sleeper(Clock::time_point time, Task& task);
  void wake_sleeper(Task& task);
  void arm_timer();
  void wake_sleepers();

  Engine& engine_;
  const Dispatcher& dispatcher_;
  const std::function<void()> on_thread_start_;
  const FiberOptions options_;
  std::vector<std::unique_ptr<Task>> spare_;
  std::thread::id loop_;
  pthread_t loop_thread_{};  // the same
  StackProbe probe_;
  std::vector<Task*> batch_;  // being resumed

  // Guarded by the engine's mutex.
  bool stopped_ = false;
  Task* running_ = nullptr;  // its handler has the loop
  bool leading_ = false;     // a thread performs input and output
  bool reserve_dormant_ = false;
  std::uint64_t progress_ = 0;
  Clock::time_point flushed_{};  // when answers were sent last
  StallDetector stalls_;
  std::condition_variable io_free_;
  std::condition_variable reserve_;

  // Guarded by queue_mutex_, which is taken last of all.
  std::mutex queue_mutex_;
  std::vector<Task*> ready_;
  Sleepers sleepers_;
  boost::asio::steady_timer timer_;
  Clock::time_point timer_at_ = Clock::time_point::max();
  std::unique_ptr<boost::asio::thread_pool> pool_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
