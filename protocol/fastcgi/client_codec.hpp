#pragma once

#include <cstdint>
#include <optional>

#include "protocol/codec.hpp"

namespace viaduct::protocol::fastcgi {

/// What a worker said of itself in FCGI_GET_VALUES_RESULT. Absent: it did not name the variable.
struct Values {
  std::optional<std::uint32_t> max_conns;
  std::optional<std::uint32_t> max_reqs;
  std::optional<bool> multiplexes;      ///< FCGI_MPXS_CONNS
  std::optional<std::uint32_t> window;  ///< VIADUCT_WINDOW, when within bounds
};

/// FCGI_END_REQUEST's protocolStatus.
enum class ProtocolStatus : std::uint8_t {
  request_complete = 0,
  cant_multiplex = 1,
  overloaded = 2,
  unknown_role = 3,
};

/// What a worker sent. `bytes` is borrowed from the bytes fed, until the next feed.
struct ClientEvent {
  enum class Kind : std::uint8_t {
    none,
    values,      ///< answer to get_values: `values`
    output,      ///< FCGI_STDOUT content: `bytes`, never empty
    output_end,  ///< the empty FCGI_STDOUT record
    errors,      ///< FCGI_STDERR content: `bytes`, never empty
    end,         ///< FCGI_END_REQUEST: `app_status`, `protocol_status`
    credit,      ///< VIADUCT_CREDIT: `count`
  };
  Kind kind = Kind::none;
  RequestId id = 0;
  ProtocolStatus protocol_status = ProtocolStatus::request_complete;
  std::uint32_t app_status = 0;
  std::uint32_t count = 0;
  Bytes bytes;
  Values values;
};

/// FastCGI 1.0, the web server's (client) side of a connection to a worker. Same order of calls as
/// protocol::ServerCodec. Which ids are active is the caller's affair: events are reported for any
/// id, and the encoders check nothing but sizes.
class ClientCodec {
 public:
  std::size_t feed(Bytes bytes);
  ClientEvent next();
  [[nodiscard]] Errc error() const;

  /// Bytes for the worker.
  [[nodiscard]] Output& output();

  /// FCGI_GET_VALUES for FCGI_MAX_REQS, FCGI_MPXS_CONNS and, with a window, VIADUCT_WINDOW carrying
  /// our receive window.
  void get_values(std::optional<std::uint32_t> window);
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
};

}  // namespace viaduct::protocol::fastcgi
