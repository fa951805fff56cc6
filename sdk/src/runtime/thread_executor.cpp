#include "sdk/src/runtime/thread_executor.hpp"

#include <algorithm>
#include <exception>

#include "sdk/src/guard.hpp"
#include "sdk/src/runtime/exchange.hpp"
#include "sdk/src/runtime/signal_stack.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTick{1};
// Looks without any change after which the standby sleeps until it is called.
constexpr unsigned kQuietTicks = 20;
// Handlers that take less are run one after the other by the thread that received them.
constexpr std::chrono::microseconds kBrief{50};
// What one handler's time counts at most, so that a thread which lost its processor for a moment
// does not make all handlers look slow.
constexpr std::chrono::nanoseconds kLongest = 4 * kBrief;
// Weight of one handler's time in the average.
constexpr int kWeight = 16;
constexpr std::chrono::milliseconds kProbePatience{50};

}  // namespace

ThreadExecutor::ThreadExecutor(Engine& engine, const Dispatcher& dispatcher,
                               std::function<void()> on_thread_start)
    : engine_(engine), dispatcher_(dispatcher), on_thread_start_(std::move(on_thread_start)) {
  engine_.attach(*this);
}

void ThreadExecutor::run() {
  const std::uint32_t limit = engine_.limit();
  std::latch hooks_returned(static_cast<std::ptrdiff_t>(limit) + 1);
  {
    std::vector<std::jthread> threads;
    threads.reserve(limit);
    for (std::uint32_t i = 0; i < limit; ++i) {
      threads.emplace_back([this, &hooks_returned] { work(hooks_returned); });
    }
    work(hooks_returned);
  }
  if (start_failure_) std::rethrow_exception(start_failure_);
}

void ThreadExecutor::work(std::latch& hooks_returned) {
  const SignalStack signal_stack;
  Worker worker(*this);
  Context::set_current(&worker);
  start(hooks_returned);
  {
    Lock lock(engine_.mutex());
    while (!stopped_) {
      if (Exchange* const exchange = engine_.take_ready()) {
        handle(lock, *exchange, worker);
      } else if (!leading_) {
        lead(lock);
      } else {
        idle(lock);
      }
    }
  }
  Context::set_current(nullptr);
}

// Nothing is served before all threads have their hooks behind them: where one threw, no request
// has begun that would be lost.
void ThreadExecutor::start(std::latch& hooks_returned) {
  guard(on_thread_start_, [this](const std::exception_ptr& error) {
    const Lock lock(engine_.mutex());
    start_failure_ = error;
    stopped_ = true;
  });
  hooks_returned.arrive_and_wait();
}

bool ThreadExecutor::brief() const {
  return usual_ < kBrief;
}

void ThreadExecutor::perform_io(Lock& lock) {
  engine_.flush_dirty();
  leading_ = true;
  leader_ = std::this_thread::get_id();
  engine_.turn(lock, true);
  leading_ = false;
  leader_ = {};
  ++progress_;
}

void ThreadExecutor::lead(Lock& lock) {
  perform_io(lock);
  rouse_standby();
}

void ThreadExecutor::handle(Lock& lock, Exchange& exchange, Worker& worker) {
  exchange.context = &worker;
  if (!brief() && (!leading_ || engine_.has_ready())) call_somebody();
  see_to_standby();
  lock.unlock();
  const auto begun = steady_clock::now();
  try {
    dispatcher_.serve(exchange.request_state, exchange.request, exchange.response);
  } catch (...) {
    // The thread is being ended; its request is not to wait for ever.
    lock.lock();
    engine_.complete(exchange);
    throw;
  }
  const auto taken = std::min<std::chrono::nanoseconds>(steady_clock::now() - begun, kLongest);
  lock.lock();
  usual_ += (taken - usual_) / kWeight;
  ++progress_;
  engine_.complete(exchange);
  // Whoever leads now waits for the kernel and sends nothing before that returns.
  if (leading_ || !brief() || engine_.collected() >= Engine::kMaxCollected ||
      !engine_.has_ready()) {
    engine_.flush_dirty();
  }
}

void ThreadExecutor::idle(Lock& lock) {
  if (!standby_present_) return stand_by(lock);
  ++followers_;
  follower_.wait(lock);
  --followers_;
}

void ThreadExecutor::stand_by(Lock& lock) {
  standby_present_ = true;
  unsigned quiet = 0;
  std::uint64_t seen = progress_;
  while (!stopped_ && !standby_called_) {
    if (quiet >= kQuietTicks) {
      standby_dormant_ = true;
      standby_.wait(lock);
      standby_dormant_ = false;
      quiet = 0;
      seen = progress_;
      continue;
    }
    standby_.wait_for(lock, kTick);
    if (progress_ != seen) {
      seen = progress_;
      quiet = 0;
    } else if (!leading_) {
      break;
    } else {
      ++quiet;
    }
  }
  standby_called_ = false;
  standby_present_ = false;
  see_to_standby();
}

// The follower called becomes the standby, or finds a request, and then calls the next one.
void ThreadExecutor::see_to_standby() {
  if (!standby_present_ && followers_ > 0) follower_.notify_one();
}

// Whoever runs what is ready may take long over it.
void ThreadExecutor::rouse_standby() {
  if (standby_dormant_ && engine_.has_ready()) standby_.notify_one();
}

void ThreadExecutor::call_somebody() {
  if (followers_ > 0) {
    follower_.notify_one();
    rouse_standby();
  } else if (standby_present_) {
    standby_called_ = true;
    standby_.notify_one();
  }
}

// A handler that performed input goes on with its own work.
void ThreadExecutor::vacated() {
  if (waiting_ > 0 || !brief() || engine_.has_ready()) {
    call_somebody();
  } else if (standby_dormant_) {
    standby_.notify_one();
  }
}

void ThreadExecutor::wait(Lock& lock, Exchange& exchange) {
  exchange.woken = false;
  exchange.leading = true;
  while (!leading_ && !engine_.has_ready() && !exchange.woken && !stopped_) perform_io(lock);
  exchange.leading = false;
  if (exchange.woken || stopped_) return vacated();
  leave_it_to_others();
  if (exchange.woken) return vacated();
  park(lock, exchange);
}

// Requests of others are best received by whoever runs them: were the waiting handler to go on
// receiving, each of them would cost a call of another thread.
void ThreadExecutor::leave_it_to_others() {
  engine_.flush_dirty();
  if (!engine_.has_ready()) return;
  call_somebody();
}

void ThreadExecutor::park(Lock& lock, Exchange& exchange) {
  exchange.parked = true;
  ++waiting_;
  exchange.context->park(lock);
  --waiting_;
  exchange.parked = false;
}

void ThreadExecutor::wake(Exchange& exchange) {
  exchange.woken = true;
  if (exchange.parked) {
    exchange.context->unpark();
  } else if (exchange.leading && std::this_thread::get_id() != leader_) {
    engine_.interrupt();
  }
}

StackFrames ThreadExecutor::trace(Exchange& exchange) {
  return probe_.take(static_cast<const Worker&>(*exchange.context).thread, kProbePatience);
}

void ThreadExecutor::stop() {
  stopped_ = true;
  follower_.notify_all();
  standby_.notify_all();
  engine_.interrupt();
}

// Before a handler blocks in a way that the engine does not see.
void ThreadExecutor::hand_over() {
  Lock lock(engine_.mutex());
  engine_.flush_dirty();
  if (!leading_ || engine_.has_ready()) call_somebody();
}

void ThreadExecutor::Worker::sleep_until(steady_clock::time_point time,
                                         const std::stop_token& stop) {
  executor_.hand_over();
  ThreadContext::sleep_until(time, stop);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
