#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/fastcgi/client_codec.hpp"

namespace viaduct::daemon::bridge {

/// How far a request had come when its link was lost.
enum class Lost : std::uint8_t {
  undelivered,  ///< no byte of it was written
  delivered,    ///< at least one was
  unread,       ///< it has no body, and the worker has not read its variables: Link::take_back
};

/// The one whose request a link carries: gives it the body, takes the response. All calls come on
/// the link's thread. `on_end` and `on_lost` are the last call for a request.
class Caller {
 public:
  /// STDOUT. Borrowed until the end of the reactor's event.
  virtual void on_output(protocol::Bytes bytes) = 0;
  /// STDERR, borrowed likewise.
  virtual void on_errors(protocol::Bytes bytes) = 0;
  /// The answer to Link::trace: what the handler is doing, in lines; empty when that is not known.
  virtual void on_trace(std::string_view text) = 0;
  /// The worker ended the request. The id is free.
  virtual void on_end(std::uint32_t app_status, protocol::fastcgi::ProtocolStatus status) = 0;
  /// The link is gone. Whether the request is lost with it: its response may have been complete, or
  /// it goes to another one unharmed.
  virtual bool on_lost(Lost lost) = 0;

  /// The next body bytes, at most `max`; empty when none wait. Valid until the next call.
  virtual protocol::Bytes peek_input(std::size_t max) = 0;
  /// That many of them were taken.
  virtual void consume_input(std::size_t bytes) = 0;
  /// Whether nothing will follow what has been consumed: asked after every consume_input.
  [[nodiscard]] virtual bool input_complete() const = 0;
  /// Asked once that is so: whether there is a second stream, FCGI_DATA of the Filter role, which
  /// the next bytes belong to.
  virtual bool begin_data() = 0;

 protected:
  ~Caller() = default;
};

}  // namespace viaduct::daemon::bridge
