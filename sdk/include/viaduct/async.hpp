#pragma once

/// @file
/// Boost.Asio in handlers, under either model. Needs Boost 1.81 or later, which the rest of the
/// library's headers do not, and is therefore not part of <viaduct/viaduct.hpp>. Nor can it be used
/// with -fno-rtti: Boost.Asio is another one then than that inside libviaduct.
///
///     app.get("/", [](viaduct::Request& req, viaduct::Response& res) {
///       boost::asio::steady_timer timer(viaduct::executor(req), std::chrono::seconds(1));
///       timer.async_wait(viaduct::use_wait);   // the completion token: waits, throws what fails
///       viaduct::await(req, coroutine(res));   // the same for a boost::asio::awaitable
///     });
///     app.get("/", [](viaduct::Request& req, viaduct::Response& res)
///                      -> boost::asio::awaitable<void> { ... });   // a coroutine as handler
///
/// Waiting suspends the handler's thread or fiber. One thread, shared by all requests and started
/// when first needed, performs the input and output; everything else, what runs between a
/// coroutine's waits included, runs in the handler's own thread or fiber. So a coroutine may use
/// its request and response, and what it writes waits for the client as always.
///
/// When stop() fires, the operations waited for are cancelled (cancellation_type::terminal), and
/// the wait throws client_gone once they have ended. It does not end before them, since they may
/// refer to what the handler owns.
///
/// A function that runs in the handler's wait and throws, a completion handler for example, cancels
/// the operation likewise; the wait then throws that, and what others throw meanwhile is logged. An
/// operation that destroys its completion handler without calling it makes the wait throw
/// std::logic_error.

#ifndef __GXX_RTTI
#error \
    "viaduct/async.hpp: Boost.Asio in libviaduct has run-time type information, compile with -frtti"
#endif

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <viaduct/errors.hpp>
#include <viaduct/export.hpp>
#include <viaduct/request.hpp>
#include <viaduct/router.hpp>
#include <viaduct/taskqueue.hpp>
#include <viaduct/type_key.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// The thread that performs input and output.
class IoThread {
 public:
  IoThread() : work_(context_.get_executor()), thread_([this] { run(); }) {}
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;
  ~IoThread() {
    context_.stop();
    thread_.join();
  }
  boost::asio::io_context& context() { return context_; }

  static IoThread& of(const Request& req) {
    return *static_cast<IoThread*>(shared_object(req, type_key<IoThread>(), [] {
                                     return std::make_shared<IoThread>();
                                   }).get());
  }

 private:
  // What is posted to executor() may throw; the input and output of others goes on.
  void run() {
    while (!context_.stopped()) run_guarded("executor()", [this] { context_.run(); });
  }

  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

/// Runs functions in a handler that waits.
class HandlerExecutor {
 public:
  explicit HandlerExecutor(std::shared_ptr<TaskQueue> queue) : queue_(std::move(queue)) {}
  template <class Function>
  void execute(Function&& function) const {
    queue_->push(std::forward<Function>(function));
  }
  static constexpr boost::asio::execution::blocking_t query(
      boost::asio::execution::blocking_t) noexcept {
    return boost::asio::execution::blocking.never;
  }
  friend bool operator==(const HandlerExecutor&, const HandlerExecutor&) noexcept = default;

 private:
  std::shared_ptr<TaskQueue> queue_;
};

/// The same for objects that perform input and output, which `context` does for them.
class HandlerIoExecutor : public HandlerExecutor {
 public:
  HandlerIoExecutor(boost::asio::execution_context& context, std::shared_ptr<TaskQueue> queue)
      : HandlerExecutor(std::move(queue)), context_(&context) {}
  using HandlerExecutor::query;
  boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept {
    return *context_;
  }
  friend bool operator==(const HandlerIoExecutor&, const HandlerIoExecutor&) noexcept = default;

 private:
  boost::asio::execution_context* context_;
};

/// One wait for operations that complete in the waiting handler, and its cancellation by stop().
class AsyncWait {
 public:
  explicit AsyncWait(std::stop_token stop) : stop_(std::move(stop)) {}
  AsyncWait(const AsyncWait&) = delete;
  AsyncWait& operator=(const AsyncWait&) = delete;
  ~AsyncWait() { queue_->close(); }

  [[nodiscard]] const std::shared_ptr<TaskQueue>& queue() const { return queue_; }
  [[nodiscard]] boost::asio::cancellation_slot slot() { return cancel_->slot(); }

  /// `result` for the completion handler alone: with its last copy the wait ends.
  template <class Result>
  [[nodiscard]] std::shared_ptr<Result> hand_out(const std::shared_ptr<Result>& result) const {
    return {result.get(), [result, queue = queue_](Result*) { queue->end(); }};
  }

  /// Runs what comes until one of the functions has set `done`. What the first of them throws
  /// cancels the operation and is thrown once that has ended.
  void run_until(const bool& done) {
    const std::stop_callback on_stop(stop_, [this] {
      queue_->push([cancel = cancel_] { cancel->emit(boost::asio::cancellation_type::terminal); });
    });
    std::exception_ptr failure;
    bool more = true;
    while (!done && more) {
      const std::exception_ptr thrown = caught([&] { more = queue_->run_one(); });
      if (!thrown) continue;
      if (failure) {
        run_guarded("await()", [&thrown] { std::rethrow_exception(thrown); });
        continue;
      }
      failure = thrown;
      queue_->push([cancel = cancel_] { cancel->emit(boost::asio::cancellation_type::terminal); });
    }
    if (failure) std::rethrow_exception(failure);
    if (!done) throw std::logic_error("the operation has dropped its completion handler");
  }

  /// client_gone in place of the operations' own word for having been cancelled.
  [[noreturn]] void fail(const std::exception_ptr& error) const {
    try {
      std::rethrow_exception(error);
    } catch (const boost::system::system_error& failed) {
      if (stop_.stop_requested() && failed.code() == boost::asio::error::operation_aborted) {
        throw client_gone("stopped while it waited");
      }
      throw;
    }
  }

 private:
  const std::stop_token stop_;
  const std::shared_ptr<TaskQueue> queue_ = std::make_shared<TaskQueue>();
  const std::shared_ptr<boost::asio::cancellation_signal> cancel_ =
      std::make_shared<boost::asio::cancellation_signal>();
};

/// What an operation completed with.
template <class... Values>
struct AsyncResult {
  bool done = false;
  std::exception_ptr error;
  std::optional<std::tuple<Values...>> values;

  void complete(const std::exception_ptr& failure, Values... given) {
    error = failure;
    if (!error) values.emplace(std::move(given)...);
    done = true;
  }
  void complete(const boost::system::error_code& failure, Values... given) {
    complete(failure ? std::make_exception_ptr(boost::system::system_error(failure)) : nullptr,
             std::move(given)...);
  }

  /// Nothing, the one value, or a tuple of several.
  auto take(const AsyncWait& wait) {
    if (error) wait.fail(error);
    if constexpr (sizeof...(Values) == 1) {
      return std::get<0>(std::move(*values));
    } else if constexpr (sizeof...(Values) > 1) {
      return std::move(*values);
    }
  }
};

/// Its values by what a completion handler is called with: a leading error is thrown.
template <class... Arguments>
struct ResultOf {
  using type = AsyncResult<std::decay_t<Arguments>...>;
  static constexpr bool kFails = false;
};
template <class... Values>
struct ResultOf<boost::system::error_code, Values...> : ResultOf<Values...> {
  static constexpr bool kFails = true;
};
template <class... Values>
struct ResultOf<std::exception_ptr, Values...> : ResultOf<Values...> {
  static constexpr bool kFails = true;
};

template <class Result, bool Fails>
struct WaitHandler {
  using executor_type = HandlerExecutor;
  using cancellation_slot_type = boost::asio::cancellation_slot;
  [[nodiscard]] executor_type get_executor() const noexcept { return executor; }
  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept { return slot; }

  template <class... Arguments>
  void operator()(Arguments&&... arguments) {
    if constexpr (Fails) {
      result->complete(std::forward<Arguments>(arguments)...);
    } else {
      result->complete(std::exception_ptr(), std::forward<Arguments>(arguments)...);
    }
  }

  HandlerExecutor executor;
  boost::asio::cancellation_slot slot;
  std::shared_ptr<Result> result;
};

template <class Executor>
struct HandlerFrom<boost::asio::awaitable<void, Executor>> {
  template <class Coroutine>
  static Handler adapt(Coroutine coroutine);
};

}  // namespace detail

/// Where timers and sockets for `use_wait` live: the executor of the one thread that performs input
/// and output for all requests, on which nothing should compute. What a function posted there
/// throws is logged. Valid until run() returns. From any thread while the handler runs.
inline boost::asio::io_context::executor_type executor(const Request& req) {
  return detail::IoThread::of(req).context().get_executor();
}

/// Runs `operation` in the calling handler, that of `req`, waits for it, and returns its value or
/// throws what it throws. Its this_coro::executor is for timers and sockets of its own; what it
/// spawns there runs while it is waited for, and is dropped when it has ended. Throws client_gone
/// when stop() has fired and the operation was cancelled for it. To be called by the handler only.
template <class T, class Executor>
T await(Request& req, boost::asio::awaitable<T, Executor> operation) {
  using Result =
      std::conditional_t<std::is_void_v<T>, detail::AsyncResult<>,
                         detail::AsyncResult<std::conditional_t<std::is_void_v<T>, int, T>>>;
  detail::AsyncWait wait(req.stop());
  const auto result = std::make_shared<Result>();
  boost::asio::co_spawn(
      detail::HandlerIoExecutor(detail::IoThread::of(req).context(), wait.queue()),
      std::move(operation),
      boost::asio::bind_cancellation_slot(
          wait.slot(),
          [given = wait.hand_out(result)](const std::exception_ptr& error, auto... value) {
            given->complete(error, std::move(value)...);
          }));
  wait.run_until(result->done);
  return result->take(wait);
}

/// The type of `use_wait`.
struct use_wait_t {
  constexpr use_wait_t() = default;
};

/// Completion token: the initiating function waits for the operation and returns its result, one
/// value as such, several as a tuple; an error is thrown as boost::system::system_error. In a
/// handler the wait ends as the top of this file says; it also works in background tasks, whose
/// token cancels it, and in other threads, where nothing ends it early.
inline constexpr use_wait_t use_wait;

/// A Handler that runs a coroutine, `boost::asio::awaitable<void>(Request&, Response&)`. Needed
/// where a Handler is asked for; a router's members take the coroutine itself.
template <class Coroutine>
Handler coroutine_handler(Coroutine coroutine) {
  return [coroutine = std::move(coroutine)](Request& req, Response& res) {
    await(req, coroutine(req, res));
  };
}

template <class Executor>
template <class Coroutine>
Handler detail::HandlerFrom<boost::asio::awaitable<void, Executor>>::adapt(Coroutine coroutine) {
  return coroutine_handler(std::move(coroutine));
}

}  // namespace v1
}  // namespace viaduct

/// @cond
/// What Boost.Asio asks of a completion token.
template <class... Arguments>
class boost::asio::async_result<viaduct::use_wait_t, void(Arguments...)> {
 public:
  template <class Initiation, class... Parameters>
  static auto initiate(Initiation&& initiation, viaduct::use_wait_t, Parameters&&... parameters) {
    using Shape = viaduct::detail::ResultOf<std::decay_t<Arguments>...>;
    using Result = typename Shape::type;
    viaduct::detail::AsyncWait wait(viaduct::detail::current_stop());
    const auto result = std::make_shared<Result>();
    std::forward<Initiation>(initiation)(
        viaduct::detail::WaitHandler<Result, Shape::kFails>{
            viaduct::detail::HandlerExecutor(wait.queue()), wait.slot(), wait.hand_out(result)},
        std::forward<Parameters>(parameters)...);
    wait.run_until(result->done);
    return result->take(wait);
  }
};
/// @endcond
