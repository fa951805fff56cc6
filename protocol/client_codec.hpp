#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/errc.hpp"
#include "protocol/fastcgi/wire.hpp"
#include "protocol/message.hpp"
#include "protocol/output.hpp"
#include "protocol/pairs.hpp"

namespace viaduct::protocol {

namespace fastcgi {

/// What a worker said of itself in FCGI_GET_VALUES_RESULT. Absent: it did not name the variable.
struct Values {
  std::optional<std::uint32_t> max_conns;
  std::optional<std::uint32_t> max_reqs;
  std::optional<bool> multiplexes;        ///< FCGI_MPXS_CONNS
  std::optional<std::uint32_t> window;    ///< VIADUCT_WINDOW, when within bounds
  std::optional<std::uint32_t> prefetch;  ///< VIADUCT_PREFETCH
  bool threads = false;                   ///< VIADUCT_MODEL is "threads"
};

}  // namespace fastcgi

/// What a server sent. `bytes` is borrowed from the bytes fed, `text` from the codec, until the
/// next feed. Protocols with one request per connection have `output` and `end` only.
struct ClientEvent {
  enum class Kind : std::uint8_t {
    none,
    values,      ///< answer to get_values: `values`
    output,      ///< of the response: `bytes`, never empty
    output_end,  ///< the response is complete, its end is to follow
    errors,      ///< FCGI_STDERR content: `bytes`, never empty
    end,         ///< the request has ended: `app_status`, `protocol_status`
    credit,      ///< VIADUCT_CREDIT: `count`
    trace,       ///< VIADUCT_TRACE, the answer: `text`, lines, perhaps none
  };
  Kind kind = Kind::none;
  RequestId id = 0;
  fastcgi::ProtocolStatus protocol_status = fastcgi::ProtocolStatus::request_complete;
  std::uint32_t app_status = 0;
  std::uint32_t count = 0;
  Bytes bytes{};
  std::string_view text{};
  fastcgi::Values values{};
};

/// The client side of one connection to a server: turns requests into bytes, and the server's bytes
/// into events. It performs no I/O, reads no clock and starts no thread. Not thread-safe. Same
/// order of calls as ServerCodec. Which requests are active is the caller's affair: the encoders
/// check nothing but sizes.
///
/// What belongs to FastCGI alone does nothing in the other protocols, which carry one request per
/// connection.
class ClientCodec {
 public:
  virtual ~ClientCodec() = default;

  virtual std::size_t feed(Bytes bytes) = 0;
  virtual ClientEvent next() = 0;
  [[nodiscard]] virtual Errc error() const = 0;
  /// End of file: where that ends a response, an event says so, unless nothing of one has come.
  virtual void finish() {}

  /// Bytes for the server.
  [[nodiscard]] virtual Output& output() = 0;
  /// Bytes of memory that it holds.
  [[nodiscard]] virtual std::size_t memory() const = 0;

  virtual void begin(RequestId id, Role role, bool keep_connection) = 0;
  /// All variables of the request.
  virtual void params(RequestId id, const Pairs& params) = 0;
  /// A piece of the body; bytes of at least a few KiB are referred to.
  virtual void input(RequestId id, Bytes bytes) = 0;
  virtual void input_end(RequestId /*id*/) {}

  // FastCGI only.
  virtual void data(RequestId /*id*/, Bytes /*bytes*/) {}
  virtual void data_end(RequestId /*id*/) {}
  virtual void abort(RequestId /*id*/) {}
  virtual void get_values(std::optional<std::uint32_t> /*window*/, bool /*draining*/) {}
  virtual void credit(RequestId /*id*/, std::uint32_t /*bytes*/) {}
  virtual void trace(RequestId /*id*/) {}
};

}  // namespace viaduct::protocol
