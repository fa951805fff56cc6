#include "sdk/src/runtime/fiber_executor.hpp"

#include <new>

#include <boost/asio/post.hpp>
#include <viaduct/log.hpp>

#include "sdk/src/guard.hpp"
#include "sdk/src/runtime/exchange.hpp"
#include "sdk/src/runtime/signal_stack.hpp"
#include "sdk/src/runtime/symbols.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::chrono::milliseconds kTick{25};
// Looks without any change after which the reserve sleeps until it is called.
constexpr unsigned kQuietTicks = 20;
// Fibers kept with their stacks for later requests.
constexpr std::size_t kSpare = 128;
constexpr std::chrono::seconds kReportEvery{10};
constexpr std::chrono::milliseconds kProbePatience{50};
// Threads for blocking().
constexpr std::size_t kBlockingThreads = 16;

// For how long answers may be collected before they are sent together.
constexpr std::chrono::microseconds kHoldAnswers{200};

// As the client sent it, from what no handler changes.
std::string request_line(const RequestState& state) {
  const protocol::Pairs& params = state.head().params;
  std::string line(params.get("REQUEST_METHOD").value_or("?"));
  line += ' ';
  line += params.get("REQUEST_URI").value_or(params.get("SCRIPT_NAME").value_or(""));
  return line;
}

}  // namespace

FiberExecutor::FiberExecutor(Engine& engine, const Dispatcher& dispatcher,
                             std::function<void()> on_thread_start, const FiberOptions& options)
    : engine_(engine),
      dispatcher_(dispatcher),
      on_thread_start_(std::move(on_thread_start)),
      options_(options),
      stalls_(options.watchdog, kReportEvery),
      timer_(engine.io()) {
  engine_.attach(*this);
}

FiberExecutor::~FiberExecutor() {
  if (pool_) pool_->join();
}

void FiberExecutor::run() {
  const SignalStack signal_stack;
  loop_ = std::this_thread::get_id();
  loop_thread_ = ::pthread_self();
  on_thread_start_();
  const std::jthread reserve([this] { watch(); });
  Lock lock(engine_.mutex());
  while (!stopped_) {
    resume_ready(lock);
    while (Exchange* const exchange = engine_.take_ready()) launch(lock, *exchange);
    engine_.flush_dirty();
    bool block = false;
    {
      const std::lock_guard guard(queue_mutex_);
      block = ready_.empty();
    }
    if (!stopped_) perform_io(lock, block);
  }
}

void FiberExecutor::perform_io(Lock& lock, bool block) {
  while (leading_) {
    io_free_.wait(lock);
    block = false;  // what the reserve received may have to be run
  }
  leading_ = true;
  engine_.turn(lock, block);
  leading_ = false;
  ++progress_;
  flushed_ = Clock::now();
  if (reserve_dormant_) reserve_.notify_one();
}

void FiberExecutor::watch() {
  Lock lock(engine_.mutex());
  unsigned quiet = 0;
  std::uint64_t seen = progress_;
  while (!stopped_) {
    if (quiet >= kQuietTicks) {
      reserve_dormant_ = true;
      reserve_.wait(lock);
      reserve_dormant_ = false;
      quiet = 0;
      seen = progress_;
      continue;
    }
    reserve_.wait_for(lock, kTick);
    if (stopped_) return;
    const auto stall = stalls_.look(Clock::now(), progress_, running_ != nullptr);
    if (stall) report(lock, *stall);
    if (progress_ != seen) {
      seen = progress_;
      quiet = 0;
    } else if (leading_) {
      ++quiet;
    } else {
      engine_.flush_dirty();
      leading_ = true;
      engine_.turn(lock, false);
      leading_ = false;
      io_free_.notify_one();
    }
  }
}

// The mutex is held until the stack has been noted, so that the handler cannot end before.
void FiberExecutor::report(Lock& lock, const StallDetector::Report& stall) {
  RequestState& state = running_->exchange->request_state;
  const std::string id = state.id();
  std::string line = "a handler has held its loop up for " + std::to_string(stall.blocked.count()) +
                     " ms: " + request_line(state);
  if (stall.unreported > 0) {
    line += ", unreported since the last such line: " + std::to_string(stall.unreported);
  }
  const StackFrames frames = probe_.take(loop_thread_, kProbePatience);
  lock.unlock();
  try {
    write_log(Level::warn, id, line);
    for (const std::string& frame : describe_stack(frames)) {
      write_log(Level::warn, id, "  " + frame);
    }
  } catch (const std::exception&) {
    // A sink of the application's that throws; the loop's requests come first.
  }
  lock.lock();
}

void FiberExecutor::launch(Lock& lock, Exchange& exchange) {
  std::unique_ptr<Task> task;
  if (spare_.empty()) {
    try {
      task = std::make_unique<Task>(*this, options_.stack_size);
    } catch (const std::bad_alloc&) {
      engine_.late_log().add(Level::error, {}, "no memory for the stack of another fiber");
      exchange.cancel(Exchange::Cancel::drained);
      engine_.complete(exchange);
      return;
    }
  } else {
    task = std::move(spare_.back());
    spare_.pop_back();
  }
  // From here on the task belongs to itself, until settle().
  Task& running = *task.release();
  running.exchange = &exchange;
  exchange.context = &running;
  running_ = &running;
  lock.unlock();
  Context::set_current(&running);
  running.fiber.start([this, &exchange] {
    dispatcher_.serve(exchange.request_state, exchange.request, exchange.response);
  });
  Context::set_current(nullptr);
  lock.lock();
  running_ = nullptr;
  settle(running);
}

void FiberExecutor::resume(Lock& lock, Task& task) {
  running_ = &task;
  lock.unlock();
  Context::set_current(&task);
  task.fiber.resume();
  Context::set_current(nullptr);
  lock.lock();
  running_ = nullptr;
  settle(task);
}

// Behind every piece of a handler's run.
void FiberExecutor::settle(Task& task) {
  ++progress_;
  if (task.fiber.idle()) {
    std::unique_ptr<Task> owned(&task);
    engine_.complete(*task.exchange);
    task.exchange = nullptr;
    if (spare_.size() < kSpare) spare_.push_back(std::move(owned));
  }
  if (engine_.collected() == 0) return;
  const auto now = Clock::now();
  if (engine_.collected() < Engine::kMaxCollected && now - flushed_ < kHoldAnswers) return;
  flushed_ = now;
  engine_.flush_dirty();
}

void FiberExecutor::resume_ready(Lock& lock) {
  {
    const std::lock_guard guard(queue_mutex_);
    batch_.swap(ready_);
  }
  for (Task* const task : batch_) resume(lock, *task);
  batch_.clear();
}

void FiberExecutor::wait(Lock& lock, Exchange& exchange) {
  exchange.parked = true;
  exchange.context->park(lock);
}

void FiberExecutor::wake(Exchange& exchange) {
  if (!exchange.parked) return;
  exchange.parked = false;
  exchange.context->unpark();
}

// With the engine's mutex held no fiber begins to run, nor does one that runs stop doing so: one
// that does not run has suspended for good.
StackFrames FiberExecutor::trace(Exchange& exchange) {
  auto& task = static_cast<Task&>(*exchange.context);
  if (&task == running_) return probe_.take(loop_thread_, kProbePatience);
  StackFrames frames;
  task.fiber.visit([&frames] { frames.capture(1); });
  return frames;
}

void FiberExecutor::stop() {
  stopped_ = true;
  reserve_.notify_all();
  engine_.interrupt();
}

void FiberExecutor::make_ready(Task& task) {
  {
    const std::lock_guard guard(queue_mutex_);
    ready_.push_back(&task);
  }
  if (std::this_thread::get_id() != loop_) engine_.interrupt();
}

void FiberExecutor::add_sleeper(Clock::time_point time, Task& task) {
  const std::lock_guard guard(queue_mutex_);
  task.wake_at = time;
  sleepers_.insert(task);
  arm_timer();
}

// Before its time; without effect when that has come.
void FiberExecutor::wake_sleeper(Task& task) {
  {
    const std::lock_guard guard(queue_mutex_);
    if (!task.sleeper_hook.is_linked()) return;
    sleepers_.erase(sleepers_.iterator_to(task));
    ready_.push_back(&task);
  }
  if (std::this_thread::get_id() != loop_) engine_.interrupt();
}

void FiberExecutor::arm_timer() {
  if (sleepers_.empty() || sleepers_.begin()->wake_at >= timer_at_) return;
  timer_at_ = sleepers_.begin()->wake_at;
  timer_.expires_at(timer_at_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) wake_sleepers();
  });
}

// Runs in a turn, the reserve's perhaps.
void FiberExecutor::wake_sleepers() {
  {
    const std::lock_guard guard(queue_mutex_);
    const auto now = Clock::now();
    if (timer_at_ > now) return;  // replaced while it was on its way
    timer_at_ = Clock::time_point::max();
    while (!sleepers_.empty() && sleepers_.begin()->wake_at <= now) {
      ready_.push_back(&*sleepers_.begin());
      sleepers_.erase(sleepers_.begin());
    }
    arm_timer();
  }
}

void FiberExecutor::Task::park(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  fiber.suspend();
  lock.lock();
}

void FiberExecutor::Task::sleep_until(Clock::time_point time, const std::stop_token& stop) {
  executor_.add_sleeper(time, *this);
  const std::stop_callback on_stop(stop, [this] { executor_.wake_sleeper(*this); });
  fiber.suspend();
}

void FiberExecutor::Task::blocking(const std::function<void()>& work) {
  {
    const std::lock_guard guard(executor_.queue_mutex_);
    if (!executor_.pool_)
      executor_.pool_ = std::make_unique<boost::asio::thread_pool>(kBlockingThreads);
  }
  std::exception_ptr failure;
  boost::asio::post(*executor_.pool_, [this, &work, &failure] {
    thread_local const SignalStack signal_stack;
    // Also when the thread is ended in there: the fiber is not to wait for ever.
    struct Return {
      ~Return() {
        Context::set_current(nullptr);
        task.executor_.make_ready(task);
      }
      Task& task;
    };
    const Return at_the_end{*this};
    ThreadContext helper;
    helper.request = request;
    Context::set_current(&helper);
    guard(work, [&failure](const std::exception_ptr& error) { failure = error; });
  });
  fiber.suspend();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
