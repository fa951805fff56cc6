// Requests that their worker lost, or that it has not read: given to another one, or answered.

#include <memory>
#include <string_view>

#include "daemon/bridge/dispatch/dispatcher.hpp"
#include "daemon/bridge/dispatch/exchange.hpp"
#include "daemon/bridge/dispatch/policy.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::bridge {

bool Exchange::on_lost(Lost lost) {
  if (lost == Lost::unread && body_.rewindable()) {
    move_on();
    return false;
  }
  const bool delivered = lost != Lost::undelivered;
  // An SCGI or uwsgi server that does not read all of a body resets the connection behind its
  // answer.
  if (!speaks_fastcgi() && phase_ == Phase::answering && response_.delimited() &&
      response_.complete()) {
    leave_worker();
    end_response(true, 0);
    bury_if_done();
    return false;
  }
  tell_loss(delivered);
  lose(delivered, "the worker was lost", 502);
  return true;
}

void Exchange::tell_loss(bool delivered) {
  if (phase_ == Phase::aborting) return;
  const bool counts = worker_->on_request_lost(*carried_->link, {.delivered = delivered,
                                                                 .answering = status_ != 0,
                                                                 .lost_before = lost_on_head_,
                                                                 .head = head_size(head_.params)});
  lost_on_head_ = lost_on_head_ || (counts && delivered && status_ == 0);
}

void Exchange::lose(bool delivered, std::string_view why, int status) {
  // It may be gone once it is left.
  const std::shared_ptr<const WorkerInfo> worker = worker_->shared_info();
  errors_.finish([this](std::string_view line) { dispatcher_->log_line(worker_->info(), line); });
  // Others look after the crashes of a server, and never say that there was one; of a request that
  // was given up it may not be known any more what it was.
  if (delivered && !worker->server && !head_.params.empty()) {
    dispatcher_->lost_at(*this, *worker_);
    lost_with_ = worker->serial;
  }
  leave_worker();
  if (phase_ == Phase::aborting) {
    bury_if_done();
    return;
  }
  const bool repeat = status_ == 0 && may_retry({.policy = dispatcher_->settings().retry,
                                                 .method = method_,
                                                 .delivered = delivered,
                                                 .body_held = body_.rewindable(),
                                                 .attempts = attempts_,
                                                 .servers = dispatcher_->servers()});
  services_.log.warning(repeat ? "request is sent to another worker" : "request lost",
                        {{"app", dispatcher_->settings().name},
                         who(*worker),
                         {"request", request_line()},
                         {"reason", why},
                         {"delivered", delivered},
                         {"answered", status_ != 0}});
  if (repeat) {
    try_again();
    return;
  }
  if (status_ == 0) {
    answer(status, status == 503 ? 1 : 0);
  } else {
    end_response(false, 0);
  }
  bury_if_done();
}

void Exchange::move_on() {
  dispatcher_->report_move(worker_->info(), request_line());
  leave_worker();
  ++moves_;
  if (phase_ == Phase::aborting) return bury_if_done();
  --attempts_;  // nobody has had it
  try_again();
}

void Exchange::try_again() {
  phase_ = Phase::waiting;
  start_queue_clock();
  unreturned_ = 0;
  paused_link_ = false;
  response_.restart();
  body_.rewind();
  dispatcher_->resubmit(*this);
}

}  // namespace viaduct::daemon::bridge
