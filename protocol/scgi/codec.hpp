#pragma once

#include "protocol/codec.hpp"

namespace viaduct::protocol::scgi {

/// SCGI (revision of 2008-06-23), server side. One request per connection, with id 1; the
/// connection closes behind the response. Responses are CGI responses with a `Status:` field.
class ServerCodec final : public protocol::ServerCodec {
 public:
  explicit ServerCodec(const Limits& limits);

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
};

}  // namespace viaduct::protocol::scgi
