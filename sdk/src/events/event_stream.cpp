#include <algorithm>

#include <viaduct/event_stream.hpp>

#include "sdk/src/events/event_format.hpp"
#include "sdk/src/response_state.hpp"

namespace viaduct {
inline namespace v1 {
namespace {

constexpr std::chrono::milliseconds kShortestHeartbeat{100};
// A comment (section 9.2.6).
constexpr std::string_view kHeartbeat = ":\n\n";

}  // namespace

EventStream::EventStream(Request& request, Response& response, std::chrono::milliseconds heartbeat)
    : request_(request), state_(response.state_) {
  Fields& fields = response.headers();
  fields.set("Content-Type", "text/event-stream");
  fields.set("X-Accel-Buffering", "no");
  if (!fields.get("Cache-Control")) fields.set("Cache-Control", "no-cache");
  if (heartbeat > std::chrono::milliseconds::zero()) {
    heartbeat = std::max(heartbeat, kShortestHeartbeat);
  } else {
    heartbeat = {};
  }
  state_->flush();
  state_->stay_open(heartbeat, kHeartbeat);
  if (state_->suppressed() || request_.draining()) state_->end_stream();
}

void EventStream::write(std::string_view text) {
  if (request_.draining()) state_->end_stream();
  state_->write_piece(text);
}

void EventStream::send(std::string_view data, std::string_view event, std::string_view id) {
  write(detail::format_event(data, event, id));
}

void EventStream::retry(std::chrono::milliseconds delay) {
  const auto count = std::max<std::chrono::milliseconds::rep>(delay.count(), 0);
  write("retry: " + std::to_string(count) + "\n\n");
}

std::string_view EventStream::last_event_id() const {
  return request_.headers().get("Last-Event-ID").value_or("");
}

}  // namespace v1
}  // namespace viaduct
