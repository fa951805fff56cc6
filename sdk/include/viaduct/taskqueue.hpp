#pragma once

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <viaduct/export.hpp>
#include <viaduct/permits.hpp>
#include <viaduct/type_key.hpp>

namespace viaduct {
inline namespace v1 {
class Request;

namespace detail {

/// An object of that type that lives as long as what serves requests; `make` makes it at first.
VIADUCT_API std::shared_ptr<void> shared_object(const Request& req, TypeKey type,
                                                const std::function<std::shared_ptr<void>()>& make);
/// Calls `work`. What it throws is logged, with `who` in front.
VIADUCT_API void run_guarded(const char* who, const std::function<void()>& work);
/// Calls `work` and returns what it throws, or null. The end of a thread or fiber passes.
VIADUCT_API std::exception_ptr caught(const std::function<void()>& work);
/// stop() of the caller's request, or the token of its background task.
VIADUCT_API std::stop_token current_stop();

/// Functions that other threads want run by one handler, in its thread or fiber, while it waits.
class TaskQueue {
 public:
  /// From any thread. Once closed, the function is only destroyed.
  template <class Function>
  void push(Function&& function) {
    std::unique_ptr<Task> task =
        std::make_unique<TaskOf<std::decay_t<Function>>>(std::forward<Function>(function));
    const std::lock_guard lock(mutex_);
    if (closed_) return;  // the task goes after the lock
    tasks_.push_back(std::move(task));
    filled_.give();
  }

  /// Runs the next function, which it waits for, and passes on what that throws. False: there is
  /// none, and end() was called. stop() does not end the wait.
  bool run_one() {
    const std::unique_ptr<Task> task = take();
    if (task) task->run();
    return task != nullptr;
  }

  /// Nothing more is to be waited for: run_one() returns false once what was pushed has been run.
  /// From any thread, once.
  void end() {
    const std::lock_guard lock(mutex_);
    filled_.give();
  }

  /// Destroys what was not run.
  void close() {
    std::deque<std::unique_ptr<Task>> dropped;
    const std::lock_guard lock(mutex_);
    closed_ = true;
    dropped.swap(tasks_);
  }

 private:
  struct Task {
    virtual ~Task() = default;
    virtual void run() = 0;
  };
  template <class Function>
  struct TaskOf final : Task {
    explicit TaskOf(Function&& moved) : function(std::move(moved)) {}
    explicit TaskOf(const Function& copied) : function(copied) {}
    void run() override { function(); }
    Function function;
  };

  std::unique_ptr<Task> take() {
    std::unique_lock lock(mutex_);
    filled_.take(lock, Permits::Stop::ignored);
    if (tasks_.empty()) return nullptr;
    std::unique_ptr<Task> task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

  std::mutex mutex_;
  std::deque<std::unique_ptr<Task>> tasks_;
  bool closed_ = false;
  Permits filled_{0};
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
