#pragma once

#include <memory>
#include <optional>

#include "protocol/codec.hpp"

namespace viaduct::protocol::fastcgi {

/// How a server answers FCGI_GET_VALUES, and what it accepts.
struct ServerOptions {
  Limits limits;
  std::uint32_t max_conns = 1;  ///< FCGI_MAX_CONNS
  std::uint32_t max_reqs = 1;   ///< FCGI_MAX_REQS
  bool multiplex = true;        ///< FCGI_MPXS_CONNS; when false a second active request is answered
                                ///< with CANT_MPX_CONN
  /// Our receive window, offered as VIADUCT_WINDOW to a peer that asks for it; absent: flow control
  /// is not spoken. It is in force once the peer's query carried a value within bounds.
  std::optional<std::uint32_t> window;
};

/// FastCGI 1.0, the application's (server) side.
///
/// Life of a request id (FastCGI 3.3): inactive -> BEGIN -> active -> END -> inactive. Records for
/// inactive ids are ignored, BEGIN excepted. STDIN that arrives after END is ignored.
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
  void fail(RequestId id) override;
  [[nodiscard]] Output& output() override;
  [[nodiscard]] bool closing() const override;
  void close_after_response() override;
  [[nodiscard]] bool idle() const override;
  [[nodiscard]] bool multiplexed() const override;

  /// Ends a request with FCGI_OVERLOADED instead of an answer: nothing of it was processed.
  void overloaded(RequestId id);
  /// Returns credit for STDIN or DATA of a request (only once a `window` event was reported).
  void credit(RequestId id, std::uint32_t bytes);
};

}  // namespace viaduct::protocol::fastcgi
