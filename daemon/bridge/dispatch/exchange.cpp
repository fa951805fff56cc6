#include "daemon/bridge/dispatch/exchange.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "daemon/bridge/dispatch/dispatcher.hpp"
#include "daemon/bridge/dispatch/exchange_list.hpp"
#include "daemon/bridge/dispatch/policy.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::bridge {

namespace {

/// Bytes of memory for the method that are kept for the next request.
constexpr std::size_t kKeptMethod = 256;

Clock::time_point after(Clock::time_point start, std::chrono::milliseconds limit) {
  return limit.count() == 0 ? Clock::time_point::max() : start + limit;
}

std::string_view state_name(Exchange::Phase phase) {
  switch (phase) {
    case Exchange::Phase::gathering:
      return "receiving";
    case Exchange::Phase::waiting:
      return "queued";
    case Exchange::Phase::sent:
      return "working";
    case Exchange::Phase::answering:
      return "streaming";
    case Exchange::Phase::sending:
      return "sending";
    case Exchange::Phase::aborting:
    case Exchange::Phase::done:
      break;
  }
  return "aborting";
}

}  // namespace

void Exchange::begin(Dispatcher& dispatcher, std::uint32_t in_lane, Client& client,
                     protocol::RequestId id, protocol::RequestHead& head) {
  lane = in_lane;
  dispatcher_ = &dispatcher;
  client_ = &client;
  client_id_ = id;
  std::swap(head_, head);
  method_ = head_.params.get("REQUEST_METHOD").value_or("GET");
  phase_ = Phase::waiting;
  last_worker_ = 0;
  lost_with_ = 0;
  lost_on_head_ = false;
  attempts_ = 0;
  moves_ = 0;
  stuck_ = false;
  paused_link_ = false;
  unreturned_ = 0;
  body_.reset(dispatcher.settings().limits.retry_buffer);
  patience_ =
      BodyPatience({.silence = dispatcher.settings().timeouts.body, .rate = client.body_rate()});
  gather_ = 0;
  input_ended_ = false;
  may_tunnel_ = client.may_upgrade() && asks_for_tunnel(head_);
  response_.reset({.head_request = method_ == "HEAD",
                   .pass_head_body = client.wants_head_body(),
                   .may_upgrade = client.may_upgrade() && asks_for_upgrade(head_),
                   .rules = dispatcher.settings().response_heads});
  ending_ = {};
  passed_ = 0;
  status_ = 0;
  arrived_ = services_.reactor.now();
  start_clocks();
  blocked_since_ = {};
  trace_ = {};
  count_memory();
}

void Exchange::start_clocks() {
  const auto now = services_.reactor.now();
  start_queue_clock();
  deadline_ = after(now, dispatcher_->settings().timeouts.request);
  last_tick_ = now;
  last_output_ = now;
}

void Exchange::start_queue_clock() {
  queue_deadline_ = after(services_.reactor.now(), dispatcher_->settings().timeouts.queue);
}

void Exchange::retire() {
  body_.reset(0);
  response_.reset({});
  store_.reset();
  trace_ = {};
  errors_.release();
  if (head_.params.memory() > protocol::Pairs::kWorthKeeping) protocol::give_back(head_.params);
  if (protocol::memory_of(method_) > kKeptMethod) protocol::give_back(method_);
  count_memory();
}

void Exchange::count_memory() {
  memory_.set(sizeof(*this) + head_.params.memory() + protocol::memory_of(method_) +
              body_.memory() + response_.memory() + store_.memory() + errors_.memory() +
              protocol::memory_of(trace_.text));
}

bool Exchange::may_have_body() const {
  if (body_.total() > 0 || is_filter()) return true;
  return !input_ended_ && head_.content_length != 0;
}

std::optional<std::chrono::milliseconds> Exchange::time_left() const {
  if (deadline_ == Clock::time_point::max()) return std::nullopt;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline_ - services_.reactor.now());
  return std::max(left, std::chrono::milliseconds(1));
}

std::string Exchange::request_line() const {
  return method_ + " " + std::string(head_.params.get("REQUEST_URI").value_or("-"));
}

RequestEntry Exchange::describe() const {
  RequestEntry entry = describe_request(head_.params);
  entry.age =
      std::chrono::duration_cast<std::chrono::milliseconds>(services_.reactor.now() - arrived_);
  entry.worker_pid = worker_ == nullptr ? 0 : worker_->info().pid;
  entry.state = state_name(phase_);
  return entry;
}

std::string Exchange::summary() const {
  const auto age = services_.reactor.now() - arrived_;
  return summarize_request(head_.params, std::chrono::duration_cast<std::chrono::milliseconds>(age),
                           state_name(phase_));
}

void Exchange::submit() {
  if (client_ == nullptr || !dispatcher_->admits(*this)) return;
  const bool measured = head_.content_length.has_value() || body_.total() == 0;
  gather_ = input_ended_ && measured ? 0 : dispatcher_->bytes_to_gather(*this);
  if (!input_ended_ && gather_ > body_.total()) {
    begin_gathering();
  } else {
    enter_queue();
  }
}

bool Exchange::speaks_fastcgi() const {
  return dispatcher_->settings().server.protocol == config::ServerProtocol::fastcgi;
}

void Exchange::start(Worker& worker, const Worker::Carried& carried) {
  worker_ = &worker;
  carried_ = carried;
  phase_ = Phase::sent;
  last_worker_ = worker.info().serial;
  from_canary_ = worker.info().canary;
  ++attempts_;
  last_output_ = services_.reactor.now();
  if (!input_ended_ && client_ != nullptr) client_->want_body(client_id_);
}

void Exchange::on_output(protocol::Bytes bytes) {
  last_output_ = services_.reactor.now();
  if (client_ == nullptr) return;
  if (phase_ == Phase::sent && last_output_ >= deadline_ && !waits_for_client()) {
    // What a handler says when its deadline has stopped it is no answer.
    time_out();
    return;
  }
  unreturned_ += bytes.size();
  const bool within_head = !response_.has_head();
  protocol::Bytes rest = response_.feed(bytes);
  if (within_head) count_memory();
  if (response_.error() != protocol::Errc::ok) {
    services_.log.error("malformed response head",
                        {{"app", dispatcher_->settings().name},
                         who(worker_->info()),
                         {"request", request_line()},
                         {"error", protocol::describe(response_.error())}});
    abort_worker();
    answer(502, 0);
    bury_if_done();
    return;
  }
  if (response_.has_head()) {
    if (status_ == 0 && !client_->delivers_files() && response_.names_file()) {
      return refuse_named_file();
    }
    if (status_ == 0) pass_head();
    pass_body(response_.admit(rest));
  }
  if (client_->unsent() == 0) {
    output_drained();
  } else {
    pause_if_full();
  }
}

// Of the worker that had it, not of the bridge.
void Exchange::count_error() {
  if (last_worker_ == 0) return;
  AppScore& scores = dispatcher_->scores();
  scores.errors.fetch_add(1, std::memory_order_relaxed);
  if (from_canary_) scores.canary_errors.fetch_add(1, std::memory_order_relaxed);
}

void Exchange::pass_head() {
  status_ = response_.head().status;
  if (status_ >= 500) count_error();
  phase_ = Phase::answering;
  body_.forget();
  worker_->on_answering(head_size(head_.params));
  if (lost_with_ != 0) dispatcher_->answered_after(*this, *worker_, std::exchange(lost_with_, 0));
  prepare_store();
  if (response_.mend() != protocol::Mend::none) report_mended_head();
  client_->respond_head(client_id_, response_.head());
}

void Exchange::report_mended_head() {
  const auto bit = static_cast<std::uint8_t>(1u << static_cast<unsigned>(response_.mend()));
  auto& reported = services_.use.mended_heads[dispatcher_->settings().score];
  if ((reported.fetch_or(bit, std::memory_order_relaxed) & bit) != 0) return;
  services_.log.warning("response head mended; of this kind and app this is said once",
                        {{"app", dispatcher_->settings().name},
                         who(worker_->info()),
                         {"request", request_line()},
                         {"reason", protocol::describe(response_.mend())},
                         {"line", response_.mended_line()}});
}

// The client must not see a path of this machine, nor an answer without the file.
void Exchange::refuse_named_file() {
  auto& reported = services_.use.mended_heads[dispatcher_->settings().score];
  const auto before = reported.fetch_or(ProcessUse::kNamedFile, std::memory_order_relaxed);
  if ((before & ProcessUse::kNamedFile) == 0) {
    services_.log.error(
        "response names a file that its front server does not deliver; of this app "
        "this is said once",
        {{"app", dispatcher_->settings().name},
         who(worker_->info()),
         {"request", request_line()},
         {"listener", client_->listener_name()},
         {"reason", "send_file: false"}});
  }
  abort_worker();
  answer(502, 0);
  bury_if_done();
}

void Exchange::on_errors(protocol::Bytes bytes) {
  errors_.feed(protocol::as_text(bytes),
               [this](std::string_view line) { dispatcher_->log_line(worker_->info(), line); });
  count_memory();
  if (client_ != nullptr && client_->unsent() < kOutputHigh) {
    client_->respond_errors(client_id_, bytes);
  }
}

void Exchange::on_end(std::uint32_t app_status, protocol::fastcgi::ProtocolStatus status) {
  using Status = protocol::fastcgi::ProtocolStatus;
  errors_.finish([this](std::string_view line) { dispatcher_->log_line(worker_->info(), line); });
  const bool refused = status == Status::cant_multiplex || status == Status::overloaded;
  if (refused && phase_ != Phase::aborting) {
    lose(false, "the worker takes no further request", 503);
    return;
  }
  const bool multiplexed = carried_->link->flow_controlled();
  if (!speaks_fastcgi() && status_ == 0 && phase_ != Phase::aborting) {
    // End of file inside the response head.
    tell_loss(true);
    lose(true, "the server closed the connection within the response head", 502);
    return;
  }
  leave_worker();
  if (phase_ == Phase::aborting) {
    // Whoever aborted it has answered, or is about to.
  } else if (status_ == 0) {
    services_.log.error("worker ended a request without a response",
                        {{"app", dispatcher_->settings().name},
                         {"request", request_line()},
                         {"app_status", app_status}});
    answer(502, 0);
  } else {
    const bool complete = response_.complete() && !(multiplexed && app_status != 0);
    if (response_.falls_short()) report_short();
    end_response(complete, app_status);
  }
  bury_if_done();
}

void Exchange::leave_worker() {
  write_slow_log();
  fail_stack_waiters();
  trace_.asked_at = {};
  trace_.ahead = Ahead::no;
  dispatcher_->left_worker(*this, *worker_, std::exchange(stuck_, false));
  carried_.reset();
  worker_ = nullptr;
}

void Exchange::abort_worker() {
  if (!carried_ || phase_ == Phase::aborting) return;
  phase_ = Phase::aborting;
  const auto limit = dispatcher_->settings().timeouts.abort;
  abort_by_ = after(services_.reactor.now(), limit);
  // A plain worker cannot be told; it may go on until the request would have timed out.
  const auto until =
      recovery_deadline({.now = services_.reactor.now(), .deadline = deadline_, .abort = limit});
  const Worker::Carried carried = *carried_;
  worker_->abort(carried, until);
  body_.reset(0);
  store_.reset();
  count_memory();
}

void Exchange::bury_if_done() {
  if (client_ != nullptr || carried_) return;
  end_gathering();
  phase_ = Phase::done;
  services_.exchanges.remove(*this);
}

}  // namespace viaduct::daemon::bridge
