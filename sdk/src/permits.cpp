#include <optional>
#include <stop_token>

#include <boost/intrusive/list.hpp>
#include <viaduct/errors.hpp>
#include <viaduct/permits.hpp>

#include "sdk/src/runtime/context.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

struct Permits::State {
  enum class Outcome : std::uint8_t { permit, closed, stopped };

  struct Waiter : boost::intrusive::list_base_hook<> {
    explicit Waiter(Context& waiting) : context(waiting) {}
    Context& context;
    std::optional<Outcome> outcome;
  };

  // An outcome is given once, so that nobody unparks a context that runs again already.
  void end(Waiter& waiter, Outcome outcome) {
    waiting.erase(waiting.iterator_to(waiter));
    waiter.outcome = outcome;
    waiter.context.unpark();
  }

  std::size_t count;
  bool closed = false;
  boost::intrusive::list<Waiter> waiting{};
};

Permits::Permits(std::size_t count) : state_(std::make_unique<State>(State{.count = count})) {}
Permits::~Permits() = default;

bool Permits::try_take() {
  if (state_->count == 0) return false;
  --state_->count;
  return true;
}

bool Permits::take(std::unique_lock<std::mutex>& lock, Stop stop) {
  using Outcome = State::Outcome;
  if (try_take()) return true;
  if (state_->closed) return false;
  Context& context = Context::current();
  lock.unlock();
  context.before_wait();
  const std::stop_token token = stop == Stop::heeded ? context.stop() : std::stop_token();
  lock.lock();
  if (try_take()) return true;
  if (state_->closed) return false;
  State::Waiter waiter(context);
  state_->waiting.push_back(waiter);
  lock.unlock();
  {
    // It takes the mutex itself, at once where stop was requested already.
    const std::stop_callback on_stop(token, [this, &waiter, &lock] {
      const std::lock_guard guard(*lock.mutex());
      if (!waiter.outcome) state_->end(waiter, Outcome::stopped);
    });
    lock.lock();
    while (!waiter.outcome) context.park(lock);
    lock.unlock();
  }
  lock.lock();
  if (waiter.outcome == Outcome::stopped) throw client_gone("stopped while it waited");
  return waiter.outcome == Outcome::permit;
}

void Permits::give() {
  if (state_->waiting.empty()) {
    ++state_->count;
  } else {
    state_->end(state_->waiting.front(), State::Outcome::permit);
  }
}

void Permits::close() {
  state_->closed = true;
  while (!state_->waiting.empty()) state_->end(state_->waiting.front(), State::Outcome::closed);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
