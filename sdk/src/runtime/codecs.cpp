#include "sdk/src/runtime/codecs.hpp"

#include "protocol/scgi/codec.hpp"
#include "protocol/uwsgi/codec.hpp"
#include "sdk/src/request_limits.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

protocol::Limits limits_behind_a_front(const CodecOptions& options) {
  protocol::Limits limits = request_limits();
  limits.requests = options.requests;
  return limits;
}

ConnectionCodec make_fastcgi(const CodecOptions& options) {
  protocol::fastcgi::ServerOptions server;
  server.limits = limits_behind_a_front(options);
  server.max_conns = options.connections;
  server.max_reqs = options.handlers;
  server.multiplex = true;
  server.window = options.window;
  server.prefetch = options.prefetch;
  server.hold_values = options.hold_values;
  auto codec = std::make_unique<protocol::fastcgi::ServerCodec>(server);
  protocol::fastcgi::ServerCodec* const same = codec.get();
  return {std::move(codec), same};
}

}  // namespace

ConnectionCodec make_codec(Listener::Protocol protocol, [[maybe_unused]] int fd,
                           const CodecOptions& options) {
  switch (protocol) {
    case Listener::Protocol::scgi:
      return {std::make_unique<protocol::scgi::ServerCodec>(limits_behind_a_front(options))};
    case Listener::Protocol::uwsgi:
      return {std::make_unique<protocol::uwsgi::ServerCodec>(limits_behind_a_front(options))};
    case Listener::Protocol::fastcgi:
      break;
  }
  return make_fastcgi(options);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
