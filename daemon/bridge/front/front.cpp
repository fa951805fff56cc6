#include "daemon/bridge/front/front.hpp"

#include "protocol/fastcgi/server_codec.hpp"
#include "protocol/scgi/codec.hpp"

namespace viaduct::daemon::bridge {

std::unique_ptr<protocol::ServerCodec> Front::make_codec() const {
  if (settings.protocol == config::FrontProtocol::scgi) {
    return std::make_unique<protocol::scgi::ServerCodec>(limits);
  }
  protocol::fastcgi::ServerOptions options;
  options.limits = limits;
  options.max_conns = max_connections;
  options.max_reqs = max_connections;
  return std::make_unique<protocol::fastcgi::ServerCodec>(options);
}

}  // namespace viaduct::daemon::bridge
