#pragma once

#include <memory>

#include <viaduct/testing.hpp>

#include "protocol/output.hpp"
#include "sdk/src/testing/outgoing.hpp"
#include "sdk/src/testing/reply_builder.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {

/// The front server's side of one request on a connection of its own: the request into bytes, bytes
/// into a reply. No sockets.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Writes the whole request to output(), which may refer to it.
  virtual void begin(const Outgoing& request) = 0;
  virtual protocol::Output& output() = 0;
  virtual void feed(protocol::Bytes bytes, ReplyBuilder& reply) = 0;
  /// The application has closed the connection in an orderly way.
  virtual void end_of_file(ReplyBuilder& reply) = 0;
  /// Whether nothing more is to come.
  [[nodiscard]] virtual bool done() const = 0;
};

/// For any Via but direct.
[[nodiscard]] std::unique_ptr<Transport> make_transport(Via via);

[[nodiscard]] std::unique_ptr<Transport> make_fastcgi_transport();
[[nodiscard]] std::unique_ptr<Transport> make_scgi_transport();
[[nodiscard]] std::unique_ptr<Transport> make_uwsgi_transport();
[[nodiscard]] std::unique_ptr<Transport> make_http_transport();

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
