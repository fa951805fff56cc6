#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/codec.hpp"
#include "protocol/fastcgi/record.hpp"
#include "protocol/fastcgi/record_writer.hpp"
#include "protocol/fastcgi/request_table.hpp"

namespace viaduct::protocol::fastcgi {

/// How a server answers FCGI_GET_VALUES, and what it accepts.
struct ServerOptions {
  Limits limits{};
  std::uint32_t max_conns = 1;  ///< FCGI_MAX_CONNS
  std::uint32_t max_reqs = 1;   ///< FCGI_MAX_REQS
  bool multiplex = true;        ///< FCGI_MPXS_CONNS; when false a second active request is answered
                                ///< with CANT_MPX_CONN
  /// Our receive window, offered as VIADUCT_WINDOW to a peer that asks for it; absent: flow control
  /// is not spoken. It is in force once the peer's query carried a value within bounds.
  std::optional<std::uint32_t> window{};
  /// VIADUCT_PREFETCH, for a peer that asks for it; absent: not answered.
  std::optional<std::uint32_t> prefetch{};
  /// VIADUCT_MODEL, likewise; empty: not answered.
  std::string_view model{};
  /// FCGI_GET_VALUES is answered from answer_held_values() on only.
  bool hold_values = false;
};

/// FastCGI 1.0, the application's (server) side.
///
/// Life of a request id (FastCGI 3.3): inactive -> BEGIN -> active -> END -> inactive. Records for
/// inactive ids are ignored, BEGIN excepted. STDIN that arrives after END is ignored. The states
/// in between are those of ActiveRequest.
///
/// Answered without the owner: FCGI_GET_VALUES, unknown management types, unknown roles, an abort
/// that comes before the params are complete, a second request when `multiplex` is off, and, with
/// FCGI_OVERLOADED, requests beyond Limits::requests while a `refused` one is still unanswered.
/// What the codec says by itself is at most twice as long as what it was fed, so that an owner who
/// stops feeding while `output()` is long bounds it.
///
/// After `closing()` further input is taken and dropped.
class ServerCodec final : public protocol::ServerCodec {
 public:
  explicit ServerCodec(const ServerOptions& options);
  ~ServerCodec() override;

  std::size_t feed(Bytes bytes) override;
  Event next() override;
  [[nodiscard]] Errc error() const override;
  void head(RequestId id, const ResponseHead& head) override;
  void body(RequestId id, Bytes bytes) override;
  void errors(RequestId id, Bytes bytes) override;
  void end(RequestId id, std::uint32_t app_status) override;
  /// Breaks the framing. While other requests are active on the connection it waits for them:
  /// nobody who multiplexes, as HAProxy, takes END_REQUEST for the end of a broken response,
  /// whatever its status. A peer that gives the request up meanwhile is answered END_REQUEST. Once
  /// flow control is agreed on, END_REQUEST with app_status 1 at once.
  void fail(RequestId id) override;
  /// To nginx, as SERVER_SOFTWARE says: END_REQUEST without the end of STDOUT, at which it compares
  /// lengths in every mode. It drops what it holds of a response when framing breaks, and takes end
  /// of file for a good end unless it keeps connections. To others: fail().
  void cut_short(RequestId id) override;
  bool take_back(RequestId id) override;
  [[nodiscard]] Output& output() override;
  [[nodiscard]] bool closing() const override;
  void close_after_response() override;
  [[nodiscard]] bool idle() const override;
  [[nodiscard]] bool multiplexed() const override;
  [[nodiscard]] std::size_t memory() const override;
  void release() override;

  /// Ends a request with FCGI_OVERLOADED instead of an answer: nothing of it was processed.
  void overloaded(RequestId id);
  /// Answers the FCGI_GET_VALUES held so far, the first 8 of them, and later ones as they come. To
  /// be called when next() has nothing more; it may then have an event again.
  void answer_held_values();
  /// Returns credit for STDIN or DATA of a request (only once a `window` event was reported).
  void credit(RequestId id, std::uint32_t bytes);
  /// Answers a `trace` event: what the handler is doing, in lines, cut at kMaxTrace bytes. At any
  /// time before `end`.
  void trace(RequestId id, std::string_view text);

 private:
  using Input = ActiveRequest::Input;

  // Input: one function per record type.
  void handle(const RecordPiece& piece);
  void handle_management(const RecordPiece& piece);
  void on_begin(const RecordPiece& piece);
  void on_abort(const RecordPiece& piece);
  void on_params(const RecordPiece& piece);
  void on_stdin(const RecordPiece& piece);
  void on_data(const RecordPiece& piece);
  void on_credit(const RecordPiece& piece);
  void on_trace(const RecordPiece& piece);
  void on_get_values(const RecordPiece& piece);
  void on_stdin_end(RequestId id, ActiveRequest& request);
  void on_params_end(RequestId id, ActiveRequest& request);

  void answer_values(const Pairs& names);
  void report(const Event& event);
  Errc feed_further(ActiveRequest& request, Bytes bytes);
  void refuse(RequestId id, ActiveRequest& request, Errc error);
  void give_params_reader(ActiveRequest& request);
  void take_params_reader(ActiveRequest& request);
  void count_params(ActiveRequest& request);
  void finish(RequestId id, std::uint32_t app_status, ProtocolStatus status);
  void break_when_alone();
  void drop_connection(Errc error) { error_ = error; }
  ActiveRequest* answerable(RequestId id);

  ServerOptions options_;
  RecordReader reader_;
  RecordWriter writer_;
  RequestTable requests_;
  FixedBody fixed_;
  Errc error_ = Errc::ok;
  bool multiplexed_ = false;
  bool is_nginx_ = false;
  std::uint32_t failed_ = 0;       // of requests_, those that have failed
  std::uint64_t reported_at_ = 0;  // Output::appended() when the last request was reported
  std::uint64_t answer_at_ = 0;    // the same in front of the last head
  bool close_when_idle_ = false;   // a request came without FCGI_KEEP_CONN
  bool close_asked_ = false;       // the owner wants it
  bool broken_ = false;
  bool window_agreed_ = false;
  bool draining_ = false;

  RequestHead head_;  // of the `request` event given last
  std::array<Event, 2> events_;
  std::uint8_t event_count_ = 0;
  std::uint8_t next_event_ = 0;
  std::size_t growth_ = 0;  // of incomplete heads, since it was reported
  // Sum of ActiveRequest::params_memory: memory() is asked for after every read and write, with a
  // thousand requests active perhaps.
  std::size_t params_memory_ = 0;

  std::string scratch_;  // a response head on its way into the output
  std::vector<std::unique_ptr<ParamsReader>> spare_readers_;
  std::unique_ptr<ParamsReader> values_;  // of a GET_VALUES record that is incomplete
  std::vector<std::unique_ptr<ParamsReader>> held_values_;
};

}  // namespace viaduct::protocol::fastcgi
