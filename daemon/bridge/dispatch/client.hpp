#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/codec.hpp"

namespace viaduct::daemon::bridge {

/// The front connection of a request, as the request sees it: where its response goes. Calls after
/// the connection has closed do nothing.
class Client {
 public:
  virtual void respond_head(protocol::RequestId id, const protocol::ResponseHead& head) = 0;
  /// Borrowed until the end of the reactor's event.
  virtual void respond_body(protocol::RequestId id, protocol::Bytes bytes) = 0;
  /// The same, copied, and written when others have had their turn.
  virtual void respond_copy(protocol::RequestId id, protocol::Bytes bytes) = 0;
  virtual void respond_errors(protocol::RequestId id, protocol::Bytes bytes) = 0;
  /// Completes the response, or breaks it off such that it cannot be taken for complete. The client
  /// knows nothing of the request afterwards.
  virtual void respond_end(protocol::RequestId id, std::uint32_t app_status) = 0;
  virtual void respond_fail(protocol::RequestId id) = 0;
  /// Breaks a response off that is shorter than its head announced; what came is delivered.
  virtual void respond_short(protocol::RequestId id) = 0;
  /// Takes back a response of which no byte has left, so that another one may be given. False: it
  /// stays.
  virtual bool take_back(protocol::RequestId id) = 0;
  /// A worker has the request and waits for its body.
  virtual void want_body(protocol::RequestId id) = 0;
  /// The request has room for body bytes again.
  virtual void resume_input(protocol::RequestId id) = 0;

  /// Response bytes, of all requests of the connection, that its socket has not taken yet.
  [[nodiscard]] virtual std::size_t unsent() const = 0;
  /// Whether the socket did not take all that it was last given.
  [[nodiscard]] virtual bool backed_up() const = 0;
  /// Whether body bytes of the request would be received now: reading is not paused.
  [[nodiscard]] virtual bool reads_input() const = 0;
  /// Bytes of a body per second that the peer has to send; 0: any.
  [[nodiscard]] virtual std::uint32_t body_rate() const = 0;
  /// Whether a 101 may pass.
  [[nodiscard]] virtual bool may_upgrade() const = 0;
  /// Whether the front delivers the files that a response names to it (X-Sendfile and the like).
  [[nodiscard]] virtual bool delivers_files() const = 0;
  /// Whether the front wants the body of a response to HEAD, which it does not send to its client.
  [[nodiscard]] virtual bool wants_head_body() const = 0;
  /// The response that is about to begin is the last one, as far as the rest of the body could not
  /// be told from another request: nobody waits for that rest.
  virtual void close_after_response() = 0;
  /// Whether the peer puts several requests on the connection, which must not block each other.
  [[nodiscard]] virtual bool multiplexed() const = 0;
  /// For log lines.
  [[nodiscard]] virtual std::string_view listener_name() const = 0;

 protected:
  ~Client() = default;
};

}  // namespace viaduct::daemon::bridge
