#pragma once

#include <chrono>
#include <string_view>

#include <viaduct/export.hpp>
#include <viaduct/request.hpp>
#include <viaduct/response.hpp>

namespace viaduct {
inline namespace v1 {

/// Answers with Server-Sent Events (WHATWG HTML section 9.2): a response that stays open, on which
/// browsers receive events with EventSource. It ends when the handler returns or lets client_gone
/// pass; browsers then connect again, saying which event they got last.
///
/// Made by a handler from its request and a response that has not started; it must not outlive
/// them, and belongs to the handler as they do. What the handler does between two events is its own
/// affair: waiting in sleep_for(), Channel and Pool ends as soon as the stream has to. A loop that
/// may go round without sending looks at Request::stop().
///
/// When the process is asked to end, streams end themselves, each behind a complete event: stop()
/// of the request fires, draining() is true, and send() throws client_gone. A stream whose client
/// left does the same.
class VIADUCT_API EventStream {
 public:
  /// Sends the head: status as it is set, Content-Type text/event-stream, and what keeps caches and
  /// proxies from holding events back (Cache-Control: no-cache unless set, X-Accel-Buffering: no).
  ///
  /// When nothing is sent for `heartbeat`, the runtime sends a comment, whatever the handler does
  /// meanwhile: proxies close connections that are silent, and a client that has left is noticed
  /// only by writing. 0 sends none; nor are there any behind a transform(). Less than 100 ms counts
  /// as that. The daemon's timeouts.stall has to be longer.
  ///
  /// Throws std::logic_error when the response has started, and client_gone, with the answer
  /// complete, when there is nothing to be sent: to HEAD, with a status that has no content, and
  /// while draining.
  EventStream(Request& request, Response& response,
              std::chrono::milliseconds heartbeat = std::chrono::seconds(15));
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  /// Sends one event at once. `data` may have any number of lines, ended by LF, CR or CRLF; clients
  /// get them with LF between. `event` is its type, "message" when empty. `id` is what
  /// last_event_id() will be when the client connects again; empty leaves it as it was.
  ///
  /// Waits while the client takes nothing. Throws std::invalid_argument for a line end in `event`
  /// or `id` or a NUL in `id`, and client_gone once the stream has to end: the event is not sent
  /// then.
  void send(std::string_view data, std::string_view event = {}, std::string_view id = {});

  /// Has the client wait for that long before it connects again; browsers take a few seconds unless
  /// told. Less than 0 counts as that. Waits and throws client_gone like send().
  void retry(std::chrono::milliseconds delay);

  /// The id of the last event that the client received before it lost its connection; empty at its
  /// first one. It comes from the client. Valid until the handler returns.
  [[nodiscard]] std::string_view last_event_id() const;

 private:
  void write(std::string_view text);

  Request& request_;
  detail::ResponseState* state_;
};

}  // namespace v1
}  // namespace viaduct
