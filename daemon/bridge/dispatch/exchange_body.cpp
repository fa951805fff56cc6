// The request body on its way from the client to the worker.

#include <utility>

#include "daemon/bridge/dispatch/dispatcher.hpp"
#include "daemon/bridge/dispatch/exchange.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::bridge {

namespace {

/// Body bytes waiting for the worker above which the front is not read.
constexpr std::uint64_t kInputHigh = 64 * 1024;
constexpr std::size_t kWorthAFile = 8 * 1024;

}  // namespace

void Exchange::input(protocol::Bytes bytes) {
  if (client_ == nullptr || phase_ == Phase::sending) return;
  run_clock(services_.reactor.now());
  patience_.receive(bytes.size());
  if (exceeds_body(bytes.size())) {
    body_failed(413, "the body is larger than limits.body");
    return;
  }
  if (carried_ && body_.waiting() == 0 && !body_.spooling() && !body_.keeps(bytes.size()) &&
      !is_filter()) {
    const std::size_t taken = carried_->link->offer_input(carried_->id, bytes);
    body_.bypass(taken);
    bytes = bytes.subspan(taken);
  }
  if (bytes.empty() || client_ == nullptr) return;
  if (const auto error = body_.append(bytes)) return spool_failed(error);
  count_memory();
  if (phase_ == Phase::gathering) return gather_more();
  if (carried_) carried_->link->input_ready(carried_->id);
}

bool Exchange::exceeds_body(std::size_t more) const {
  const std::uint64_t limit = dispatcher_->settings().limits.body;
  return limit != 0 && (response_.switches() ? body_.held() : body_.total()) + more > limit;
}

void Exchange::input_split() {
  body_.split();
  if (carried_) carried_->link->input_ready(carried_->id);
}

void Exchange::input_end() {
  run_clock(services_.reactor.now());
  input_ended_ = true;
  if (carried_) carried_->link->input_ready(carried_->id);
  if (phase_ != Phase::gathering) return;
  end_gathering();
  start_clocks();
  enter_queue();
}

void Exchange::begin_gathering() {
  phase_ = Phase::gathering;
  gathers_ = true;
  dispatcher_->gathering(true);
  body_.keep(UINT64_MAX);
  client_->want_body(client_id_);
}

void Exchange::gather_more() {
  if (!wants_input()) spool_input();
  if (client_ == nullptr || body_.total() <= gather_) return;
  end_gathering();
  body_.keep(dispatcher_->settings().limits.retry_buffer);
  start_clocks();
  enter_queue();
}

void Exchange::end_gathering() {
  if (std::exchange(gathers_, false)) dispatcher_->gathering(false);
}

void Exchange::enter_queue() {
  phase_ = Phase::waiting;
  if (input_ended_ && gather_ > 0) tell_length();
  dispatcher_->submit(*this);
}

// Plain FastCGI programs, SCGI and uwsgi need it.
void Exchange::tell_length() {
  if (head_.content_length || body_.total() == 0 || is_filter()) return;
  head_.content_length = body_.total();
  head_.params.set("CONTENT_LENGTH", std::to_string(body_.total()));
}

bool Exchange::wants_input() const {
  return client_ == nullptr || body_.spooling() || body_.waiting() < kInputHigh;
}

void Exchange::spool_input() {
  if (client_ == nullptr) return;
  if (const auto error = body_.spool(services_.use.spool)) return spool_failed(error);
  count_memory();
}

void Exchange::relieve() {
  if (holds_response()) {
    store_.spill(services_.use.spool);
    count_memory();
  }
  if (holds_body()) spool_input();
}

bool Exchange::wants_file() const {
  return holds_response() || holds_body();
}

bool Exchange::holds_response() const {
  return store_.spillable() && store_.memory() >= kWorthAFile;
}

bool Exchange::holds_body() const {
  return phase_ == Phase::gathering && !body_.spooling() && body_.memory() >= kWorthAFile;
}

std::optional<double> Exchange::gathering_rate() const {
  return phase_ == Phase::gathering ? std::optional(patience_.rate()) : std::nullopt;
}

void Exchange::spool_failed(const std::error_code& error) {
  if (error == BodyStore::kFull) {
    dispatcher_->report_refusal("limits.spool is reached");
    end_everywhere(503, 1);
  } else {
    body_failed(507, "the body could not be written to disk: " + error.message());
  }
}

void Exchange::body_failed(int status, std::string_view why) {
  services_.log.warning("request refused", {{"app", dispatcher_->settings().name},
                                            {"request", request_line()},
                                            {"status", status},
                                            {"reason", why}});
  end_everywhere(status, 0);
}

protocol::Bytes Exchange::peek_input(std::size_t max) {
  std::error_code error;
  const protocol::Bytes bytes = body_.peek(max, error);
  if (error) body_failed(500, "the spooled body could not be read: " + error.message());
  return bytes;
}

void Exchange::consume_input(std::size_t bytes) {
  const bool wanted = wants_input();
  body_.consume(bytes);
  count_memory();
  if (!wanted && wants_input() && client_ != nullptr) client_->resume_input(client_id_);
}

bool Exchange::input_complete() const {
  if (is_filter() && !body_.in_second()) return body_.first_passed_on();
  return input_ended_ && body_.waiting() == 0;
}

bool Exchange::begin_data() {
  if (is_filter()) body_.begin_second();
  return is_filter();
}

}  // namespace viaduct::daemon::bridge
