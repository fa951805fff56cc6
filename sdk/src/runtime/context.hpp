#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>

namespace viaduct {
inline namespace v1 {
namespace detail {

class RequestState;

/// What runs a handler, and can be made to wait: a thread, or a fiber. The one seam between code
/// that waits and the two ways of waiting.
class Context {
 public:
  virtual ~Context() = default;

  /// Gives `lock` up, waits for unpark() and takes it again. May return without one.
  virtual void park(std::unique_lock<std::mutex>& lock) = 0;
  /// Ends a park(). Called by whoever holds the lock that park() was given, once per park().
  virtual void unpark() = 0;
  /// To be called, without locks, before a park() that is not the runtime's own, so that input and
  /// output go on without this thread.
  virtual void before_wait() {}
  /// Until that time, or until `stop` is requested.
  virtual void sleep_until(std::chrono::steady_clock::time_point time,
                           const std::stop_token& stop) = 0;
  virtual void blocking(const std::function<void()>& work) = 0;

  /// Fires when what runs here is to end: stop() of its request, else `task_stop`.
  [[nodiscard]] std::stop_token stop() const;

  /// What runs the caller: never null, a plain thread where there is no runtime.
  static Context& current();
  /// Says what runs on this thread from now on; null: the thread itself.
  static void set_current(Context* context);
  /// What set_current() named on this thread; null: nothing. Async-signal-safe.
  [[nodiscard]] static const Context* running();
  /// "thread" or "fiber".
  [[nodiscard]] virtual const char* kind() const { return "thread"; }
  /// The request whose handler called; null outside of handlers.
  [[nodiscard]] static RequestState* current_request();

  RequestState* request = nullptr;  ///< the one in hand
  std::stop_token task_stop;        ///< of the background task that runs here
};

/// A thread that waits by blocking.
class ThreadContext : public Context {
 public:
  void park(std::unique_lock<std::mutex>& lock) override { condition_.wait(lock); }
  void unpark() override { condition_.notify_one(); }
  void sleep_until(std::chrono::steady_clock::time_point time,
                   const std::stop_token& stop) override;
  void blocking(const std::function<void()>& work) override { work(); }

 private:
  std::condition_variable condition_;
};

/// Has the caller's context serve a request while the object lives.
class RequestScope {
 public:
  explicit RequestScope(RequestState& request)
      : context_(Context::current()), outer_(context_.request) {
    context_.request = &request;
  }
  RequestScope(const RequestScope&) = delete;
  RequestScope& operator=(const RequestScope&) = delete;
  ~RequestScope() { context_.request = outer_; }

 private:
  Context& context_;
  RequestState* const outer_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
