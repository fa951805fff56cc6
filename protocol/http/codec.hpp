#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "protocol/codec.hpp"
#include "protocol/http/chunked_reader.hpp"
#include "protocol/http/head_reader.hpp"
#include "protocol/http/request_head.hpp"
#include "protocol/variables.hpp"

namespace viaduct::protocol::http {

struct ServerOptions {
  /// `params` also bounds the bytes of a whole head; `requests` is not used.
  Limits limits;
  ConnectionInfo connection;
  OddNames odd_names = OddNames::drop;
  /// The value of the Date field of a response; none is sent where it is absent or returns "".
  std::function<std::string_view()> date;
};

/// HTTP/1.1 and HTTP/1.0 (RFC 9112), server side. All requests have id 1: they are answered in the
/// order in which they come, and one that comes early is held until the response before it ended.
///
///             +------------------ response ended, keep-alive -----------------+
///             v                                                               |
///     head ------> body, if any ------> answering (later input is held) ------+
///       | `refused`    | `abort`            | close
///       +--------------+--------------------+-----> ignored
///
/// Requests become the CGI variables of add_variables(); chunked bodies are decoded and have no
/// CONTENT_LENGTH. What is malformed or ambiguous is a `refused` event and the last of its
/// connection, as is a chunk that is malformed, by an `abort` event.
///
/// `OPTIONS *`, or with an absolute target that has neither path nor query (RFC 9112
/// section 3.2.4), is not a request to an application: the codec answers it with 204 and reports
/// nothing.
///
/// Responses have the Content-Length of their head, or the chunked coding, or for HTTP/1.0 end with
/// the connection. Bodies of answers to HEAD, and of 204, 205 and 304, are dropped, as are bytes
/// beyond Content-Length; fields about the connection are the codec's own. The connection closes
/// behind a response when the client wants that, when the body is too short for its Content-Length,
/// and when more of the request's body is outstanding than is worth reading.
class ServerCodec final : public protocol::ServerCodec {
 public:
  explicit ServerCodec(ServerOptions options);
  ServerCodec(const ServerCodec&) = delete;
  ServerCodec& operator=(const ServerCodec&) = delete;

  std::size_t feed(Bytes bytes) override;
  Event next() override;
  /// Never set: what is malformed is refused with an answer.
  [[nodiscard]] Errc error() const override { return Errc::ok; }
  void head(RequestId id, const ResponseHead& head) override;
  void want_body(RequestId id) override;
  void body(RequestId id, Bytes bytes) override;
  void errors(RequestId id, Bytes bytes) override;
  void end(RequestId id, std::uint32_t app_status) override;
  /// Framing tells the client that the response is incomplete. Where there is none (HTTP/1.0
  /// without Content-Length) reset_on_close() becomes true.
  void fail(RequestId id) override;
  bool take_back(RequestId id) override;
  [[nodiscard]] Output& output() override { return output_; }
  [[nodiscard]] bool closing() const override;
  [[nodiscard]] bool reset_on_close() const override { return reset_; }
  [[nodiscard]] bool unread() const override { return in_body() || broken_body_; }
  void close_after_response() override { close_when_idle_ = true; }
  [[nodiscard]] bool wants_input() const override;
  [[nodiscard]] bool idle() const override;
  [[nodiscard]] bool multiplexed() const override { return false; }
  [[nodiscard]] std::size_t memory() const override;
  void release() override;

 private:
  enum class Input : std::uint8_t { head, length, chunked, answering, ignored };
  enum class Answer : std::uint8_t { none, due, begun, ended };
  enum class Framing : std::uint8_t { nothing, length, chunked, until_close };

  // codec.cpp: requests. Each takes bytes from the front of `text`.
  void advance(std::string_view& text);
  void take_head(std::string_view& text);
  void take_length(std::string_view& text);
  void take_chunked(std::string_view& text);
  void begin_request();
  void answer_for_server();
  void take_content(std::string_view content);
  void finish_input();
  void next_request();
  void refuse(Errc error);
  void report(const Event& event) { events_[event_count_++] = event; }
  [[nodiscard]] bool in_body() const { return input_ == Input::length || input_ == Input::chunked; }
  [[nodiscard]] std::string_view held() const { return std::string_view(held_).substr(held_at_); }

  // responses.cpp
  [[nodiscard]] bool answerable(RequestId id) const;
  void choose_framing(const ResponseHead& head);
  void stop_after_this();

  ServerOptions options_;
  Variables variables_;
  Output output_;

  Input input_ = Input::head;
  HeadReader head_reader_;
  RequestHead head_;
  ChunkedReader chunks_;
  std::uint64_t length_left_ = 0;  // of the request's body
  bool awaits_continue_ = false;   // the client holds its body back
  std::string held_;               // input of later requests
  std::size_t held_at_ = 0;        // what of it was read

  Answer answer_ = Answer::none;
  Framing framing_ = Framing::nothing;
  std::uint64_t answer_at_ = 0;    // Output::appended() in front of the response
  std::uint64_t answer_left_ = 0;  // of the response's Content-Length
  bool http11_ = true;
  bool head_only_ = false;    // HEAD
  bool persistent_ = true;    // another request may follow
  bool done_ = false;         // closes once the output is written
  bool broken_body_ = false;  // a chunk was malformed
  bool reset_ = false;
  bool close_when_idle_ = false;

  std::array<Event, 2> events_;
  std::uint8_t event_count_ = 0;
  std::uint8_t next_event_ = 0;
};

}  // namespace viaduct::protocol::http
