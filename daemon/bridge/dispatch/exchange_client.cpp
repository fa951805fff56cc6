// A request and its client: the response, or the bridge's own answer, and who leaves first.

#include <string>
#include <utility>

#include "daemon/bridge/access_log.hpp"
#include "daemon/bridge/dispatch/dispatcher.hpp"
#include "daemon/bridge/dispatch/exchange.hpp"
#include "daemon/bridge/dispatch/own_response.hpp"

namespace viaduct::daemon::bridge {

void Exchange::abandon(int status) {
  if (client_ == nullptr) return;
  client_ = nullptr;
  if (status_ == 0) status_ = status;
  dispatcher_->scores().aborted.fetch_add(1, std::memory_order_relaxed);
  write_access_log();
  if (phase_ == Phase::waiting) {
    dispatcher_->withdraw(*this);
    phase_ = Phase::done;
  } else {
    abort_worker();
  }
  bury_if_done();
}

void Exchange::refuse(int status, std::uint32_t retry_after) {
  answer(status, retry_after);
  bury_if_done();
}

void Exchange::give_up() {
  end_everywhere(503, 1);
  if (head_.params.memory() > protocol::Pairs::kWorthKeeping) protocol::give_back(head_.params);
  count_memory();
}

void Exchange::end_everywhere(int status, std::uint32_t retry_after) {
  if (phase_ == Phase::waiting) {
    dispatcher_->withdraw(*this);
  } else if (carried_) {
    abort_worker();
  }
  if (status_ == 0) {
    answer(status, retry_after);
  } else if (status >= 500 && phase_ != Phase::sending) {
    fail_client();
  } else {
    break_off();
  }
  bury_if_done();
}

void Exchange::answer(int status, std::uint32_t retry_after) {
  if (client_ == nullptr) return;
  if (status == 502 || status == 504) count_error();
  send_own(status, retry_after);
}

void Exchange::send_own(int status, std::uint32_t retry_after) {
  if (status >= 500) dispatcher_->scores().failed.fetch_add(1, std::memory_order_relaxed);
  OwnResponse response = own_response(status);
  if (retry_after > 0) response.head.fields.add("Retry-After", std::to_string(retry_after));
  status_ = status;
  client_->respond_head(client_id_, response.head);
  if (method_ != "HEAD" || client_->wants_head_body()) {
    client_->respond_body(client_id_, protocol::as_bytes(response.body));
  }
  end_client(0);
}

void Exchange::end_client(std::uint32_t app_status) {
  if (client_ == nullptr) return;
  std::exchange(client_, nullptr)->respond_end(client_id_, app_status);
  write_access_log();
  if (phase_ != Phase::aborting) phase_ = Phase::done;
}

void Exchange::fail_client() {
  if (client_ == nullptr) return;
  count_error();
  break_off();
}

void Exchange::break_off() {
  store_.reset();
  Client& client = *std::exchange(client_, nullptr);
  // Part of what the worker sent may be stored here, and never be passed on.
  if (response_.lacks(passed_)) {
    client.respond_short(client_id_);
  } else {
    client.respond_fail(client_id_);
  }
  write_access_log();
  if (phase_ != Phase::aborting) phase_ = Phase::done;
}

void Exchange::write_access_log() {
  if (!services_.access_log.enabled()) return;
  services_.access_log.write({.app = dispatcher_->settings().name,
                              .params = head_.params,
                              .status = status_,
                              .body_bytes = passed_,
                              .duration = services_.reactor.now() - arrived_,
                              .attempts = attempts_});
}

}  // namespace viaduct::daemon::bridge
