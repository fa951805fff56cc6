#include <algorithm>

#include "daemon/bridge/dispatch/dispatcher.hpp"
#include "daemon/bridge/dispatch/exchange.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::bridge {

namespace {

constexpr auto kMutualBlock = std::chrono::milliseconds(100);

}  // namespace

bool Exchange::waits_for_client() const {
  if (may_tunnel_ && status_ == 0) return false;
  return !input_ended_ && body_.waiting() == 0;
}

bool Exchange::awaits_body() const {
  if (client_ == nullptr || input_ended_ || !client_->reads_input()) return false;
  if (phase_ == Phase::sending || response_.switches()) return false;
  // A body that is gathered waits for its own end.
  return phase_ == Phase::gathering || waits_for_client();
}

bool Exchange::lose_patience() {
  using Verdict = BodyPatience::Verdict;
  if (client_ == nullptr || input_ended_) return false;
  const Verdict verdict = patience_.verdict();
  if (verdict == Verdict::wait) return false;
  dispatcher_->report_refusal(verdict == Verdict::silent
                                  ? "timeouts.body passed: the client sends nothing of its body"
                                  : "the client sends its body slower than limits.body_rate");
  if (status_ == 0) client_->close_after_response();
  end_everywhere(408, 0);
  return true;
}

// What a request waits for its client does not count.
void Exchange::run_clock(Clock::time_point now) {
  const auto elapsed = now - std::exchange(last_tick_, now);
  if (phase_ != Phase::waiting) patience_.pass(elapsed, awaits_body());
  if (phase_ != Phase::sent || !waits_for_client()) return;
  if (deadline_ != Clock::time_point::max()) deadline_ += elapsed;
}

void Exchange::tick(Clock::time_point now) {
  run_clock(now);
  if (lose_patience()) return;
  tick_slow(now);
  switch (phase_) {
    case Phase::waiting:
      if (now >= queue_deadline_ || now >= deadline_) {
        dispatcher_->withdraw(*this);
        const bool queue = now >= queue_deadline_;
        dispatcher_->report_refusal(queue ? "waited longer than timeouts.queue"
                                          : "timeouts.request passed in the queue");
        refuse(queue ? 503 : 504, queue ? 1 : 0);
      }
      break;
    case Phase::sent:
      tick_blocked(now);
      tick_sent(now);
      break;
    case Phase::answering:
      tick_blocked(now);
      tick_answering(now);
      break;
    case Phase::aborting:
      tick_aborting(now);
      break;
    case Phase::gathering:
    case Phase::sending:
    case Phase::done:
      break;
  }
}

void Exchange::tick_blocked(Clock::time_point now) {
  if (client_ == nullptr || client_->unsent() == 0) {
    blocked_since_ = {};
    return;
  }
  if (blocked_since_ == Clock::time_point{}) blocked_since_ = now;
  // A client that writes before it reads, and an application that writes before it reads.
  if (!wants_input() && now - blocked_since_ >= kMutualBlock) {
    spool_input();
    if (client_ != nullptr) client_->resume_input(client_id_);
  }
}

void Exchange::tick_sent(Clock::time_point now) {
  if (phase_ == Phase::sent && now >= deadline_) time_out();
}

void Exchange::time_out() {
  dispatcher_->scores().timeouts.fetch_add(1, std::memory_order_relaxed);
  services_.log.warning(
      "timeouts.request passed",
      {{"app", dispatcher_->settings().name}, who(worker_->info()), {"request", request_line()}});
  report_expired();
  worker_->on_timeout();
  abort_worker();
  answer(504, 0);
  bury_if_done();
}

// A plain worker writes on into the store until its link is paused.
bool Exchange::held_back() const {
  const bool credit = carried_->link->flow_controlled();
  return credit ? blocked_since_ != Clock::time_point{} : paused_link_;
}

void Exchange::tick_answering(Clock::time_point now) {
  if (phase_ != Phase::answering) return;
  const auto stall = dispatcher_->settings().timeouts.stall;
  if (held_back() || waits_for_client()) last_output_ = now;
  if (stall.count() == 0 || now - last_output_ < stall) return;
  dispatcher_->scores().timeouts.fetch_add(1, std::memory_order_relaxed);
  services_.log.warning(
      "timeouts.stall passed",
      {{"app", dispatcher_->settings().name}, who(worker_->info()), {"request", request_line()}});
  abort_worker();
  fail_client();
  bury_if_done();
}

void Exchange::tick_aborting(Clock::time_point now) {
  if (stuck_ || !carried_ || now < abort_by_) return;
  stuck_ = true;
  services_.log.error(
      "worker ignores the abort of a request",
      {{"app", dispatcher_->settings().name}, who(worker_->info()), {"request", request_line()}});
  dispatcher_->condemn(*worker_);
}

}  // namespace viaduct::daemon::bridge
