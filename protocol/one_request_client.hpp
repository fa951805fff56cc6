#pragma once

#include <optional>

#include "protocol/client_codec.hpp"

namespace viaduct::protocol {

/// What the client sides of protocols with one request per connection share (SCGI, uwsgi):
/// everything but how variables are written. The response is passed on as it comes, and end of file
/// ends it. CgiHeadReader reads its head: a `Status:` field or a status line.
class OneRequestClient : public ClientCodec {
 public:
  std::size_t feed(Bytes bytes) final;
  ClientEvent next() final;
  [[nodiscard]] Errc error() const final { return Errc::ok; }
  void finish() final;
  [[nodiscard]] Output& output() final { return output_; }
  [[nodiscard]] std::size_t memory() const final { return output_.memory(); }
  void begin(RequestId id, Role role, bool keep_connection) final;
  void input(RequestId id, Bytes bytes) final;

 protected:
  Output output_;

 private:
  RequestId id_ = 0;  // 0: none is active
  bool answered_ = false;
  std::optional<ClientEvent> event_;  // the one waiting
};

}  // namespace viaduct::protocol
