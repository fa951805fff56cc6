#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/bridge/dispatch/dispatcher.hpp"
#include "daemon/bridge/dispatch/route_table.hpp"
#include "daemon/bridge/front/client_counts.hpp"
#include "daemon/bridge/front/http_date.hpp"
#include "daemon/bridge/front/peer.hpp"
#include "daemon/bridge/services.hpp"
#include "daemon/config/bridge_settings.hpp"
#include "protocol/codec.hpp"

namespace viaduct::daemon::bridge {

/// What the connections of one listener share on one thread.
struct Front {
  Services& services;
  const config::BridgeListener& settings;
  std::string name;      ///< the listener's address
  std::uint64_t socket;  ///< channel::socket_identity() of the listening socket
  RouteTable routes;
  std::vector<Dispatcher*> apps;  ///< by the app index of routes
  protocol::Limits limits;
  std::uint32_t body_rate;        ///< bytes per second that clients have to send; 0: any
  std::uint32_t max_connections;  ///< told to front servers that ask
  bool draining = false;          ///< connections end with their next response

  HttpDate date{};

  /// A codec for a new connection, of which the kernel knows the ends.
  [[nodiscard]] std::unique_ptr<protocol::ServerCodec> make_codec(int connection);
  /// The same for one between the ends that a proxy has named.
  [[nodiscard]] std::unique_ptr<protocol::ServerCodec> make_codec(const Ends& ends);

  /// Whether limits.connections_per_client holds here. A trusted peer has the connections of many
  /// clients, front servers those of all.
  [[nodiscard]] bool counts_clients() const;
  /// Counts a connection of that peer, which is not trusted, in `place`. False: it has as many as
  /// it may. Nothing is counted of peers without an address.
  [[nodiscard]] bool enter(const Peer& peer, ClientCounts::Place& place) const;
};

}  // namespace viaduct::daemon::bridge
