// What its worker says a request's handler does: for the slow log, and for who lists requests.

#include <algorithm>
#include <utility>

#include "daemon/bridge/dispatch/dispatcher.hpp"
#include "daemon/bridge/dispatch/exchange.hpp"

namespace viaduct::daemon::bridge {

namespace {

// For how long a worker may put a stack into words. The first time it reads all of its symbols, on
// a machine that may be busy.
constexpr auto kTracePatience = std::chrono::seconds(10);
// A handler that its deadline stops is gone when the bridge sees it pass; so it is asked for
// before.
constexpr std::chrono::milliseconds kAhead{150};

}  // namespace

void Exchange::tick_slow(Clock::time_point now) {
  if (phase_ == Phase::sending) return;
  const auto slow = dispatcher_->settings().timeouts.slow;
  if (slow.count() != 0 && !trace_.reported_slow && client_ != nullptr && now - arrived_ >= slow) {
    trace_.reported_slow = true;
    if (dispatcher_->slow_log().admit(now)) report(SlowReport::slow);
  }
  ask_ahead(now);
  const bool waiting = trace_.due_slow || trace_.due_expired;
  if (waiting && now - trace_.asked_at >= kTracePatience) write_slow_log();
}

void Exchange::ask_ahead(Clock::time_point now) {
  if (phase_ != Phase::sent || deadline_ == Clock::time_point::max()) return;
  const auto ahead = std::min<Clock::duration>(
      kAhead, std::chrono::milliseconds(dispatcher_->settings().timeouts.request) / 4);
  if (deadline_ - now > ahead) {
    trace_.ahead = Ahead::no;
  } else if (trace_.ahead == Ahead::no) {
    trace_.ahead = Ahead::refused;
    if (!dispatcher_->slow_log().admit(now)) return;
    trace_.ahead = Ahead::asked;
    trace_.text.clear();
    ask_trace();
  }
}

// Before the abort, so that the worker reads the question first.
void Exchange::report_expired() {
  if (trace_.ahead == Ahead::refused) return;
  const auto now = services_.reactor.now();
  if (trace_.ahead == Ahead::no && !dispatcher_->slow_log().admit(now)) return;
  const bool known = trace_.ahead == Ahead::asked && !trace_.text.empty();
  if (known) {
    trace_.due_expired = true;
    return write_slow_log();
  }
  report(SlowReport::expired);
}

void Exchange::report(SlowReport report) {
  (report == SlowReport::slow ? trace_.due_slow : trace_.due_expired) = true;
  trace_.text.clear();
  if (!ask_trace()) write_slow_log();
}

// Whether there will be an answer.
bool Exchange::ask_trace() {
  if (trace_.asked_at != Clock::time_point{}) return true;
  if (!carried_ || phase_ == Phase::aborting || !worker_->trace(*carried_)) return false;
  trace_.asked_at = services_.reactor.now();
  return true;
}

void Exchange::on_trace(std::string_view text) {
  trace_.asked_at = {};
  trace_.text = text;
  count_memory();
  if (trace_.due_slow || trace_.due_expired) write_slow_log();
  for (const auto& [query, place] : std::exchange(trace_.waiters, {})) query->answer(place, text);
}

void Exchange::ask_stack(const std::shared_ptr<StackQuery>& query, std::size_t place) {
  // Of a worker that never answers, lists may be asked for again and again.
  std::erase_if(trace_.waiters, [](const StackWaiter& waiter) { return waiter.query->finished(); });
  if (!carried_) return query->fail(place, "no worker has it");
  if (!ask_trace()) {
    const bool aborting = phase_ == Phase::aborting;
    return query->fail(place, aborting ? "it is being aborted" : "its worker cannot say");
  }
  query->expect(place);
  trace_.waiters.push_back({query, place});
}

void Exchange::fail_stack_waiters() {
  for (const auto& [query, place] : std::exchange(trace_.waiters, {})) {
    query->fail(place, "it has left its worker");
  }
}

void Exchange::write_slow_log() {
  const auto write = [this](bool& due, std::string_view what) {
    if (!std::exchange(due, false)) return;
    dispatcher_->slow_log().write({.what = what,
                                   .worker = worker_ != nullptr ? &worker_->info() : nullptr,
                                   .params = head_.params,
                                   .elapsed = services_.reactor.now() - arrived_,
                                   .trace = trace_.text});
  };
  write(trace_.due_slow, "slow request");
  write(trace_.due_expired, "request aborted: timeouts.request passed");
}

}  // namespace viaduct::daemon::bridge
