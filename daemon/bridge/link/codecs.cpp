#include "daemon/bridge/link/codecs.hpp"

#include "protocol/fastcgi/client_codec.hpp"
#include "protocol/scgi/client_codec.hpp"
#include "protocol/uwsgi/client_codec.hpp"

namespace viaduct::daemon::bridge {

std::unique_ptr<protocol::ClientCodec> make_client_codec(config::ServerProtocol protocol) {
  switch (protocol) {
    case config::ServerProtocol::scgi:
      return std::make_unique<protocol::scgi::ClientCodec>();
    case config::ServerProtocol::uwsgi:
      return std::make_unique<protocol::uwsgi::ClientCodec>();
    case config::ServerProtocol::fastcgi:
      break;
  }
  return std::make_unique<protocol::fastcgi::ClientCodec>();
}

}  // namespace viaduct::daemon::bridge
