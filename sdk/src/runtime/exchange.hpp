#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

#include <boost/intrusive/list.hpp>
#include <viaduct/request.hpp>

#include "protocol/fastcgi/flow_control.hpp"
#include "protocol/message.hpp"
#include "sdk/src/channel.hpp"
#include "sdk/src/request_state.hpp"
#include "sdk/src/response_state.hpp"
#include "sdk/src/runtime/context.hpp"
#include "sdk/src/runtime/input_buffer.hpp"
#include "sdk/src/runtime/link.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

class Engine;

/// One request's life in this process, from its head to its end:
///
///     spare --> queued --> running --> spare
///                 |           ^ handler returned
///                 +-- cancelled while it waited for its turn
///
/// Its handler's thread or fiber calls the members of BodySource, RequestControl and ResponseSink;
/// they take the engine's mutex themselves. What is public besides belongs to the engine and its
/// executor and is guarded by that mutex.
class Exchange final : public BodySource, public RequestControl, public ResponseSink {
  // FCGI_DATA. Its bytes are guarded like the rest.
  struct Data final : BodySource {
    explicit Data(Exchange& owner) : exchange(owner) {}
    [[nodiscard]] std::optional<std::uint64_t> length() const override;
    std::size_t read(std::span<std::byte> into) override;

    Exchange& exchange;
    InputBuffer input;
    std::uint64_t received = 0;
  };

  Data data_{*this};

 public:
  enum class Phase : std::uint8_t { spare, queued, running };

  /// Why nobody waits for the response any more.
  enum class Cancel : std::uint8_t {
    none,
    gone,       ///< the client left: nothing can be sent
    deadline,   ///< its time is over
    drained,    ///< the time to drain is over
    slow,       ///< the client sends too little of its body
    malformed,  ///< the body cannot be read on
  };

  explicit Exchange(Engine& engine);

  // BodySource
  [[nodiscard]] std::optional<std::uint64_t> length() const override;
  std::size_t read(std::span<std::byte> into) override;
  // RequestControl
  [[nodiscard]] std::stop_token stop() override;
  [[nodiscard]] bool draining() const override;
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const override;
  [[nodiscard]] Attachments* attachments() override;
  // ResponseSink
  void whole(const protocol::ResponseHead& head, protocol::Bytes body) override;
  void head(const protocol::ResponseHead& head) override;
  void body(protocol::Bytes bytes) override;
  void flush() override;
  void end() override { outcome_ = Outcome::ended; }
  void fail() override { outcome_ = Outcome::failed; }
  void stay_open(std::chrono::milliseconds interval, std::string_view heartbeat) override;

  void begin(std::shared_ptr<Link> on, protocol::RequestId number, protocol::RequestHead& head,
             std::uint32_t receive_window);
  /// The time that the client takes to send its body does not count.
  void restart_clock(std::chrono::steady_clock::time_point now);
  /// Back to spare; memory that one large request needed is given up.
  void finish();
  /// Puts the handler's outcome into the codec.
  void conclude();
  [[nodiscard]] std::size_t unread() const { return input_.unread() + data_.input.unread(); }
  void store(protocol::Bytes bytes) { input_.store(bytes); }
  void store_data(protocol::Bytes bytes);
  /// Whether the peer has more to send: body, or FCGI_DATA.
  [[nodiscard]] bool more_input() const { return !input_ended || !data_ended; }
  /// Remembers the reason; false when there was one already.
  bool cancel(Cancel reason);
  /// The stop source, when a handler has asked for its token.
  [[nodiscard]] const std::stop_source& stop_source() const { return stop_source_; }

  RequestState request_state;
  Request request;
  ResponseState response;

  Phase phase = Phase::spare;
  Cancel cancelled = Cancel::none;
  std::shared_ptr<Link> link;
  protocol::RequestId id = 0;
  std::uint64_t serial = 0;  ///< no other request of the engine has had it
  std::chrono::steady_clock::time_point expires{};
  std::chrono::milliseconds time_limit{};  ///< what was left when the request came
  protocol::fastcgi::SendCredit send_credit;
  protocol::fastcgi::ReceiveCredit receive_credit;
  bool input_ended = false;  ///< the body is complete
  bool data_ended = true;    ///< and so is FCGI_DATA, which only the Filter role has

  bool stream = false;  ///< without an end of its own
  std::string_view heartbeat;
  std::chrono::milliseconds heartbeat_every{};  ///< 0: never
  /// When it is due; time_point::max() while the handler is sending.
  std::chrono::steady_clock::time_point heartbeat_at = std::chrono::steady_clock::time_point::max();

  Context* context = nullptr;  ///< what runs the handler
  bool parked = false;         ///< the handler waits in context
  bool leading = false;        ///< the handler waits by performing input and output
  bool woken = false;          ///< since the wait began

  boost::intrusive::list_member_hook<> queue_hook;
  boost::intrusive::list_member_hook<> active_hook;

 private:
  enum class Outcome : std::uint8_t {
    open,   ///< the handler has not finished its response
    whole,  ///< head and body are waiting, nothing was sent
    ended,
    failed,
  };

  [[nodiscard]] std::uint32_t room() const;
  [[nodiscard]] bool lacks_body() const;
  void check_wanted() const;

  Engine& engine_;
  InputBuffer input_;
  std::stop_source stop_source_{std::nostopstate};
  Outcome outcome_ = Outcome::open;
  bool head_sent_ = false;
  std::optional<std::uint64_t> announced_;  // Content-Length of the head that was sent
  std::uint64_t passed_ = 0;                // of the body
  const protocol::ResponseHead* whole_head_ = nullptr;
  protocol::Bytes whole_body_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
