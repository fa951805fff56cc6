#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "protocol/client_codec.hpp"
#include "protocol/codec.hpp"
#include "protocol/fastcgi/params.hpp"
#include "protocol/fastcgi/record.hpp"
#include "protocol/fastcgi/record_writer.hpp"
#include "protocol/fastcgi/wire.hpp"

namespace viaduct::protocol::fastcgi {

using protocol::ClientEvent;

/// FastCGI 1.0, the web server's (client) side of a connection to a worker. Events are reported for
/// any id but 0.
///
/// FCGI_GET_VALUES_RESULT records beyond the number of queries sent are ignored, and so are
/// FCGI_UNKNOWN_TYPE, unknown types, and VIADUCT_CREDIT and VIADUCT_TRACE until both sides have
/// named a window.
class ClientCodec final : public protocol::ClientCodec {
 public:
  std::size_t feed(Bytes bytes) override;
  ClientEvent next() override;
  [[nodiscard]] Errc error() const override;

  /// Bytes for the worker.
  [[nodiscard]] Output& output() override;
  [[nodiscard]] std::size_t memory() const override;

  /// FCGI_GET_VALUES for FCGI_MAX_REQS, FCGI_MPXS_CONNS and, with a window, VIADUCT_PREFETCH,
  /// VIADUCT_MODEL and
  /// VIADUCT_WINDOW carrying our receive window.
  /// `draining` tells a server with which flow control is in force that no more requests are about
  /// to begin (VIADUCT_DRAINING).
  void get_values(std::optional<std::uint32_t> window, bool draining = false) override;
  void begin(RequestId id, Role role, bool keep_connection) override;
  /// The whole FCGI_PARAMS stream, its end included. No pair crosses a record unless it is longer
  /// than one record.
  void params(RequestId id, const Pairs& params) override;
  /// One or more FCGI_STDIN / FCGI_DATA records; bytes of at least a few KiB are referred to.
  void input(RequestId id, Bytes bytes) override;
  void input_end(RequestId id) override;
  void data(RequestId id, Bytes bytes) override;
  void data_end(RequestId id) override;
  void abort(RequestId id) override;
  void credit(RequestId id, std::uint32_t bytes) override;
  /// Asks a server with which flow control is in force what the handler of a request is doing.
  void trace(RequestId id) override;

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
