#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "protocol/codec.hpp"

namespace viaduct::protocol {

/// What the codecs of protocols with one request per connection share (SCGI, uwsgi): everything but
/// the request head. The request has id 1; the connection closes behind the response.
///
///     take_head()     begin_body()      end()
///     head ------------> body ------> ignored
///       | refuse()                       ^
///       +--------------------------------+
///
/// Bytes behind the body are taken and ignored. End of file before `body_end` is for the owner to
/// notice and means that the client gave up.
class OneRequestCodec : public ServerCodec {
 public:
  OneRequestCodec(const OneRequestCodec&) = delete;
  OneRequestCodec& operator=(const OneRequestCodec&) = delete;

  std::size_t feed(Bytes bytes) final;
  Event next() final;
  [[nodiscard]] Errc error() const final { return error_; }
  void head(RequestId id, const ResponseHead& head) final;
  void body(RequestId id, Bytes bytes) final;
  void errors(RequestId id, Bytes bytes) final;
  void end(RequestId id, std::uint32_t app_status) final;
  /// The front takes end of file for the end of a response, unless Content-Length promised more.
  /// What still waits in `output()` is discarded, so that a response of which nothing has left is
  /// not seen at all, and reset_on_close() becomes true: the owner closes a TCP socket with
  /// SO_LINGER 0. On a Unix socket the peer sees a reset only when the owner leaves received bytes
  /// unread; otherwise nothing in the protocol tells it that the response is cut short.
  void fail(RequestId id) final;
  /// The same with what waits in `output()`: fronts that read the length miss the rest.
  void cut_short(RequestId id) final;
  bool take_back(RequestId id) final;
  [[nodiscard]] Output& output() final { return output_; }
  [[nodiscard]] bool closing() const final;
  void close_after_response() final { close_when_idle_ = true; }
  [[nodiscard]] bool idle() const final { return !begun_; }
  [[nodiscard]] bool multiplexed() const final { return false; }
  [[nodiscard]] bool reset_on_close() const final { return failed_; }
  [[nodiscard]] std::size_t memory() const final { return output_.memory() + head_memory(); }

 protected:
  /// How the protocol writes a response head.
  using WriteHead = void (*)(const ResponseHead& head, std::string& to);
  explicit OneRequestCodec(WriteHead write_head) : write_head_(write_head) {}

  /// Takes bytes of the request head from the front of `text`, which is not empty: at least one,
  /// or it calls break_connection(), refuse() or begin_body().
  virtual void take_head(std::string_view& text) = 0;

  /// Bytes of memory that it holds for the request head.
  [[nodiscard]] virtual std::size_t head_memory() const = 0;

  /// The head cannot be understood: the connection is to be closed.
  void break_connection(Errc error) { error_ = error; }
  /// The request cannot be served; the rest of its bytes is skipped.
  void refuse(Errc error);
  /// The head is complete. It is reported, and as many bytes as its content_length says, if any,
  /// are the body. `head` must live as long as the codec.
  void begin_body(RequestHead& head);
  [[nodiscard]] bool in_head() const { return phase_ == Phase::head && error_ == Errc::ok; }

 private:
  enum class Phase : std::uint8_t { head, body, ignored };
  static constexpr RequestId kId = 1;

  void take_body(Bytes bytes);
  void report(const Event& event) { events_[event_count_++] = event; }
  [[nodiscard]] bool answerable(RequestId id) const { return id == kId && reported_ && !answered_; }

  const WriteHead write_head_;
  Output output_;
  Phase phase_ = Phase::head;
  Errc error_ = Errc::ok;
  std::uint64_t body_left_ = 0;
  bool begun_ = false;  // a byte has come
  bool reported_ = false;
  bool answered_ = false;
  bool failed_ = false;
  bool close_when_idle_ = false;

  std::array<Event, 2> events_;
  std::uint8_t event_count_ = 0;
  std::uint8_t next_event_ = 0;
};

}  // namespace viaduct::protocol
