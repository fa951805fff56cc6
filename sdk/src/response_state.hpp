#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <viaduct/response.hpp>

#include "protocol/message.hpp"
#include "sdk/src/channel.hpp"
#include "sdk/src/files/delivery.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

class RequestState;

/// What a Response does, as a state machine:
///
///     open --(flush, overflow, finish)--> started --(finish, abandon)--> finished
///
/// `open` holds body bytes and can be reset() to begin another answer; `started` has passed the
/// head on; `finished` ignores what is written. What is complete while open is passed on whole.
///
/// Transforms see the body as it leaves: what is held can still be dropped with reset().
class ResponseState {
 public:
  using Hooks = std::vector<std::function<void(Response&)>>;
  using Transform = std::function<std::string(std::string_view chunk, bool last)>;

  /// Body bytes held back at most.
  static constexpr std::size_t kHold = 16 * 1024;

  explicit ResponseState(ResponseSink& sink) : sink_(sink), response_(*this) {}

  /// Makes it ready for a request. `head_only`: the method is HEAD. `request`, when it is given,
  /// outlives the response; files are only answered conditionally and in part with it.
  void begin(bool head_only, RequestState* request = nullptr,
             FileDelivery delivery = FileDelivery::self);
  /// Forgets status, headers, transforms and what is held, not the hooks. Only while open.
  void reset();

  [[nodiscard]] Response& response() { return response_; }
  [[nodiscard]] bool started() const { return phase_ != Phase::open; }
  [[nodiscard]] bool finished() const { return phase_ == Phase::finished; }
  /// Finished, and not abandoned.
  [[nodiscard]] bool complete() const { return finished() && !broken_; }
  /// For hooks: whether all of the answer is held when its head goes out.
  [[nodiscard]] bool starts_complete() const { return starts_complete_; }
  /// HEAD, or a status without content: what is written is not sent.
  [[nodiscard]] bool suppressed() const { return head_only_ || protocol::contentless(status_); }
  [[nodiscard]] bool head_only() const { return head_only_; }
  [[nodiscard]] RequestState* request() const { return request_; }
  [[nodiscard]] FileDelivery file_delivery() const { return file_delivery_; }
  [[nodiscard]] int status() const { return status_; }
  void set_status(int status);
  [[nodiscard]] const Fields& fields() const { return fields_; }
  [[nodiscard]] Fields& fields_to_change();
  [[nodiscard]] std::uint64_t bytes_written() const { return written_; }
  [[nodiscard]] std::uint64_t bytes_sent() const { return sent_; }
  void add_hook(std::function<void(Response&)> hook);
  void drop_hooks() { hooks_.clear(); }
  void add_transform(Transform transform);
  [[nodiscard]] bool transforming() const { return !transforms_.empty(); }
  /// Body bytes that the handler wrote.
  [[nodiscard]] std::uint64_t written() const { return written_; }

  void write(std::string_view bytes);
  void send(std::string_view whole);
  void flush();
  /// Completes the response. Throws std::length_error when less was written than declared; the
  /// response is then still open or started.
  void finish();
  /// Ends a started response so that it does not look complete.
  void abandon();

  /// The response becomes a stream: it may end behind every piece. See ResponseSink::stay_open().
  void stay_open(std::chrono::milliseconds interval, std::string_view heartbeat);
  /// Sends a piece of a stream at once. Left in the middle of it, the stream is broken.
  void write_piece(std::string_view piece);
  /// Completes a stream and throws client_gone, so that its handler returns.
  [[noreturn]] void end_stream();
  /// The handler gave up, since nobody waits for more: completes a stream, abandons what is not.
  void leave();

 private:
  enum class Phase : std::uint8_t { open, started, finished };

  [[nodiscard]] std::optional<std::uint64_t> declared_length() const;
  void require_open() const;
  void require_no_transform() const;
  void run_hooks();
  void prepare(bool complete);
  void start();
  void start_or_pass();
  void fill_head(std::optional<std::uint64_t> length);
  void pass(std::string_view bytes);
  void emit(std::string_view bytes);
  [[nodiscard]] std::string transformed(std::string_view bytes, bool last);

  ResponseSink& sink_;
  Response response_;
  Phase phase_ = Phase::open;
  bool broken_ = false;
  bool head_only_ = false;
  bool starts_complete_ = false;
  bool stream_ = false;
  bool in_piece_ = false;
  FileDelivery file_delivery_ = FileDelivery::self;
  RequestState* request_ = nullptr;
  bool status_set_ = false;
  int status_ = 200;
  Fields fields_;
  std::string held_;
  std::uint64_t written_ = 0;              // by the handler
  std::uint64_t sent_ = 0;                 // of that, what counts for the client
  std::optional<std::uint64_t> declared_;  // once started; of what the handler writes
  Hooks hooks_;
  std::vector<Transform> transforms_;
  bool in_transform_ = false;
  protocol::ResponseHead head_;
};

/// Lets the library's own middleware see more of a response than its users.
struct ResponseAccess {
  static ResponseState& state(Response& response) { return *response.state_; }
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
