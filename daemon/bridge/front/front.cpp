#include "daemon/bridge/front/front.hpp"

#include <algorithm>

#include "daemon/bridge/front/connection.hpp"
#include "daemon/config/memory_policy.hpp"
#include "protocol/fastcgi/server_codec.hpp"
#include "protocol/http/codec.hpp"
#include "protocol/scgi/codec.hpp"
#include "protocol/uwsgi/codec.hpp"

namespace viaduct::daemon::bridge {

namespace {

using protocol::ServerCodec;

constexpr std::size_t kAroundIt = 512;  // in lists, by the kernel's names of it, by the heap
static_assert(
    sizeof(Connection) + kAroundIt +
        std::max({sizeof(protocol::fastcgi::ServerCodec), sizeof(protocol::http::ServerCodec),
                  sizeof(protocol::scgi::ServerCodec), sizeof(protocol::uwsgi::ServerCodec)}) <=
    config::kMemoryOfConnection);

std::unique_ptr<ServerCodec> make_fastcgi(const Front& front) {
  protocol::fastcgi::ServerOptions options;
  options.limits = front.limits;
  options.max_conns = front.max_connections;
  options.max_reqs = front.max_connections;
  return std::make_unique<protocol::fastcgi::ServerCodec>(options);
}

std::unique_ptr<ServerCodec> make_http(Front& front, const Ends& ends) {
  protocol::http::ServerOptions options;
  options.limits = front.limits;
  options.odd_names = front.settings.odd_names;
  // As nginx says of a client on a Unix socket: REMOTE_ADDR must not be missing.
  options.connection.remote_addr = ends.peer.local ? "unix:" : ends.peer.host;
  options.connection.remote_port = ends.peer.port;
  options.connection.server_addr = ends.own.host;
  options.connection.server_port = ends.own.port;
  options.date = [&front] { return front.date.text(std::time(nullptr)); };
  return std::make_unique<protocol::http::ServerCodec>(std::move(options));
}

}  // namespace

std::unique_ptr<ServerCodec> Front::make_codec(int connection) {
  // The other protocols do not care.
  if (settings.protocol != config::FrontProtocol::http) return make_codec(Ends{});
  return make_codec(Ends{identify(connection), identify_own_end(connection)});
}

std::unique_ptr<ServerCodec> Front::make_codec(const Ends& ends) {
  switch (settings.protocol) {
    case config::FrontProtocol::fastcgi:
      break;
    case config::FrontProtocol::scgi:
      return std::make_unique<protocol::scgi::ServerCodec>(limits);
    case config::FrontProtocol::uwsgi:
      return std::make_unique<protocol::uwsgi::ServerCodec>(limits);
    case config::FrontProtocol::http:
      return make_http(*this, ends);
  }
  return make_fastcgi(*this);
}

bool Front::counts_clients() const {
  return services.use.clients.limited() && settings.protocol == config::FrontProtocol::http;
}

bool Front::enter(const Peer& peer, ClientCounts::Place& place) const {
  if (peer.local) return true;
  place = services.use.clients.enter(peer.address);
  return static_cast<bool>(place);
}

}  // namespace viaduct::daemon::bridge
