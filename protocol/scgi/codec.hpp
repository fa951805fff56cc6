#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "protocol/codec.hpp"
#include "protocol/variables.hpp"

namespace viaduct::protocol::scgi {

/// SCGI (revision of 2008-06-23), server side. One request per connection, with id 1; the
/// connection closes behind the response. Responses are CGI responses with a `Status:` field.
///
///     digits ':'      block       ','       body          end()
///     size ------> variables ----> comma ------> body ------> ignored
///                      | over a limit            | complete    ^
///                      +-------------------------+-------------+
///
/// A header block over a limit is a `refused` event; one that is malformed breaks the connection.
/// Bytes behind the body are taken and ignored. End of file before `body_end` is for the owner to
/// notice and means that the client gave up.
class ServerCodec final : public protocol::ServerCodec {
 public:
  explicit ServerCodec(const Limits& limits);
  ServerCodec(const ServerCodec&) = delete;
  ServerCodec& operator=(const ServerCodec&) = delete;

  std::size_t feed(Bytes bytes) override;
  Event next() override;
  [[nodiscard]] Errc error() const override;
  void head(RequestId id, const ResponseHead& head) override;
  void body(RequestId id, Bytes bytes) override;
  void errors(RequestId id, Bytes bytes) override;
  void end(RequestId id, std::uint32_t app_status) override;
  /// The front takes end of file for the end of a response, unless Content-Length promised more.
  /// What still waits in `output()` is discarded, so that a response of which nothing has left is
  /// not seen at all, and reset_on_close() becomes true: the owner closes a TCP socket with
  /// SO_LINGER 0. On a Unix socket the peer sees a reset only when the owner leaves received bytes
  /// unread; otherwise nothing in the protocol tells it that the response is cut short.
  void fail(RequestId id) override;
  [[nodiscard]] Output& output() override;
  [[nodiscard]] bool closing() const override;
  void close_after_response() override;
  [[nodiscard]] bool idle() const override;
  [[nodiscard]] bool multiplexed() const override;
  [[nodiscard]] bool reset_on_close() const override;

 private:
  enum class State : std::uint8_t { size, variables, comma, body, ignored };

  // Each takes bytes from the front of `text`.
  void take_size(std::string_view& text);
  void take_variables(std::string_view& text);
  void take_comma(std::string_view& text);
  void take_body(Bytes bytes);

  bool take_part(std::string_view& block, std::string& part, std::uint64_t limit, Errc over);
  void take_variable();
  void begin_request();
  void report(const Event& event) { events_[event_count_++] = event; }
  void refuse(Errc error);
  [[nodiscard]] bool answerable(RequestId id) const;

  Limits limits_;
  Variables variables_;
  Output output_;
  State state_ = State::size;
  Errc error_ = Errc::ok;
  std::uint64_t left_ = 0;  // bytes of the block, then of the body; while in size: its value
  std::uint8_t digits_ = 0;
  bool in_value_ = false;
  bool any_variable_ = false;
  bool marked_ = false;  // SCGI=1 has come
  std::string name_;
  std::string value_;
  bool reported_ = false;
  bool answered_ = false;
  bool failed_ = false;
  bool close_when_idle_ = false;

  RequestHead head_;
  std::array<Event, 2> events_;
  std::uint8_t event_count_ = 0;
  std::uint8_t next_event_ = 0;
};

}  // namespace viaduct::protocol::scgi
