// The response body on its way from the worker to the client, and the rest of it once the worker
// has ended.

#include <string>
#include <string_view>
#include <utility>

#include "daemon/bridge/dispatch/dispatcher.hpp"
#include "daemon/bridge/dispatch/exchange.hpp"
#include "daemon/log/log.hpp"
#include "protocol/text.hpp"

namespace viaduct::daemon::bridge {

namespace {

/// Bytes from the store that a client is given at once.
constexpr std::size_t kPiece = 32 * 1024;

// Whoever sends events, or says that it wants no buffering, wants to know who still listens.
bool without_file(const protocol::ResponseHead& head) {
  const auto buffering = head.fields.find_nocase("X-Accel-Buffering").value_or("");
  if (protocol::equal_nocase(buffering, "no")) return true;
  const auto type = head.fields.find_nocase("Content-Type").value_or("");
  return protocol::equal_nocase(type.substr(0, type.find_first_of("; \t")), "text/event-stream");
}

}  // namespace

void Exchange::prepare_store() {
  if (carried_->link->flow_controlled()) return;
  store_.reset(dispatcher_->settings().buffer_responses);
  // So does whoever talks in both directions.
  if (response_.switches() || without_file(response_.head())) store_.memory_only();
}

void Exchange::pass_body(protocol::Bytes bytes) {
  if (bytes.empty()) return;
  const bool backlog = client_->backed_up() && client_->unsent() > kOutputHigh;
  if (store_.empty() && (!backlog || !store_.usable())) {
    passed_ += bytes.size();
    client_->respond_body(client_id_, bytes);
    return;
  }
  if (const auto error = store_.append(services_.use.spool, bytes)) {
    dispatcher_->report_pause(error == SpoolFile::kFull
                                  ? "limits.spool is reached"
                                  : "they cannot be written to disk: " + error.message());
  }
  count_memory();
}

void Exchange::pause_if_full() {
  if (client_ == nullptr || !carried_ || carried_->link->flow_controlled()) return;
  const bool full = store_.usable() ? store_.full() : client_->unsent() > kOutputHigh;
  if (!full || std::exchange(paused_link_, true)) return;
  carried_->link->pause(true);
}

void Exchange::output_drained() {
  blocked_since_ = {};
  if (!send_stored()) return;
  if (phase_ == Phase::sending) return finish_sending();
  if (!carried_ || unreturned_ == 0) return;
  const auto count = static_cast<std::uint32_t>(std::exchange(unreturned_, 0));
  carried_->link->passed_on(carried_->id, count);
  if (std::exchange(paused_link_, false)) carried_->link->pause(false);
}

// Returns whether nothing is stored any more, and the request has not ended here.
bool Exchange::send_stored() {
  if (client_ == nullptr || store_.empty()) return true;
  // Others on the connection have filled it; it drains again.
  if (client_->unsent() > kOutputHigh) return false;
  std::error_code error;
  const protocol::Bytes bytes = store_.peek(kPiece, error);
  if (error) {
    services_.log.error("a response could not be read from its temporary file",
                        {{"app", dispatcher_->settings().name},
                         {"request", request_line()},
                         {"error", error.message()}});
    abort_worker();
    break_off();
    bury_if_done();
    return false;
  }
  passed_ += bytes.size();
  client_->respond_copy(client_id_, bytes);
  store_.consume(bytes.size());
  count_memory();
  return store_.empty();
}

// The worker has ended, or was lost: what is stored is still sent.
void Exchange::end_response(bool complete, std::uint32_t app_status) {
  if (client_ == nullptr) return;
  if (!complete) count_error();
  ending_ = {.complete = complete, .app_status = app_status};
  if (store_.empty()) return settle_response();
  phase_ = Phase::sending;
  body_.reset(0);
  count_memory();
  // Nobody takes the rest of its body, but the client may send that before it reads.
  client_->resume_input(client_id_);
}

void Exchange::settle_response() {
  if (ending_.complete) return end_client(ending_.app_status);
  if (!client_->take_back(client_id_)) return break_off();
  passed_ = 0;
  send_own(502, 0);
}

void Exchange::report_short() {
  services_.log.warning("response is shorter than its Content-Length",
                        {{"app", dispatcher_->settings().name},
                         {"request", request_line()},
                         {"announced", response_.head().content_length.value_or(0)},
                         {"came", response_.admitted()}});
}

void Exchange::finish_sending() {
  settle_response();
  bury_if_done();
}

}  // namespace viaduct::daemon::bridge
