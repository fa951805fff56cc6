#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/codec.hpp"
#include "protocol/fastcgi/params.hpp"
#include "protocol/fastcgi/record.hpp"
#include "protocol/fastcgi/record_writer.hpp"
#include "protocol/fastcgi/wire.hpp"

namespace viaduct::protocol::fastcgi {

/// What a worker said of itself in FCGI_GET_VALUES_RESULT. Absent: it did not name the variable.
struct Values {
  std::optional<std::uint32_t> max_conns;
  std::optional<std::uint32_t> max_reqs;
  std::optional<bool> multiplexes;        ///< FCGI_MPXS_CONNS
  std::optional<std::uint32_t> window;    ///< VIADUCT_WINDOW, when within bounds
  std::optional<std::uint32_t> prefetch;  ///< VIADUCT_PREFETCH
};

/// What a worker sent. `bytes` is borrowed from the bytes fed, `text` from the codec, until the
/// next feed.
struct ClientEvent {
  enum class Kind : std::uint8_t {
    none,
    values,      ///< answer to get_values: `values`
    output,      ///< FCGI_STDOUT content: `bytes`, never empty
    output_end,  ///< the empty FCGI_STDOUT record
    errors,      ///< FCGI_STDERR content: `bytes`, never empty
    end,         ///< FCGI_END_REQUEST: `app_status`, `protocol_status`
    credit,      ///< VIADUCT_CREDIT: `count`
    trace,       ///< VIADUCT_TRACE, the answer: `text`, lines, perhaps none
  };
  Kind kind = Kind::none;
  RequestId id = 0;
  ProtocolStatus protocol_status = ProtocolStatus::request_complete;
  std::uint32_t app_status = 0;
  std::uint32_t count = 0;
  Bytes bytes{};
  std::string_view text{};
  Values values{};
};

/// FastCGI 1.0, the web server's (client) side of a connection to a worker. Same order of calls as
/// protocol::ServerCodec. Which ids are active is the caller's affair: events are reported for any
/// id but 0, and the encoders check nothing but sizes.
///
/// FCGI_GET_VALUES_RESULT records beyond the number of queries sent are ignored, and so are
/// FCGI_UNKNOWN_TYPE, unknown types, and VIADUCT_CREDIT and VIADUCT_TRACE until both sides have
/// named a window.
class ClientCodec {
 public:
  std::size_t feed(Bytes bytes);
  ClientEvent next();
  [[nodiscard]] Errc error() const;

  /// Bytes for the worker.
  [[nodiscard]] Output& output();

  /// FCGI_GET_VALUES for FCGI_MAX_REQS, FCGI_MPXS_CONNS and, with a window, VIADUCT_PREFETCH and
  /// VIADUCT_WINDOW carrying our receive window.
  /// `draining` tells a server with which flow control is in force that no more requests are about
  /// to begin (VIADUCT_DRAINING).
  void get_values(std::optional<std::uint32_t> window, bool draining = false);
  void begin(RequestId id, Role role, bool keep_connection);
  /// The whole FCGI_PARAMS stream, its end included. No pair crosses a record unless it is longer
  /// than one record.
  void params(RequestId id, const Pairs& params);
  /// One or more FCGI_STDIN / FCGI_DATA records; bytes of at least a few KiB are referred to.
  void input(RequestId id, Bytes bytes);
  void input_end(RequestId id);
  void data(RequestId id, Bytes bytes);
  void data_end(RequestId id);
  void abort(RequestId id);
  void credit(RequestId id, std::uint32_t bytes);
  /// Asks a server with which flow control is in force what the handler of a request is doing.
  void trace(RequestId id);

 private:
  void handle(const RecordPiece& piece);
  void handle_management(const RecordPiece& piece);
  void on_stream(const RecordPiece& piece, ClientEvent::Kind content, ClientEvent::Kind end);
  void on_end(const RecordPiece& piece);
  void on_credit(const RecordPiece& piece);
  void on_trace(const RecordPiece& piece);
  void on_values(const RecordPiece& piece);
  void report(const ClientEvent& event);

  RecordReader reader_;
  RecordWriter writer_;
  FixedBody fixed_;
  Errc error_ = Errc::ok;
  std::uint32_t queries_ = 0;    // sent and not answered
  bool window_offered_ = false;  // in a query
  bool window_agreed_ = false;
  std::unique_ptr<ParamsReader> values_;  // of a result that is incomplete
  std::string trace_;                     // the text that came last, or what is there of it
  std::optional<ClientEvent> event_;      // the one waiting
};

}  // namespace viaduct::protocol::fastcgi
