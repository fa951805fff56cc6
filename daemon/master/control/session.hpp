#pragma once

#include <memory>

#include <boost/asio/local/stream_protocol.hpp>

#include "daemon/master/control/api.hpp"
#include "daemon/master/control/limits.hpp"

namespace viaduct::daemon::master::control {

/// Serves one connection to the control socket: HTTP/1.1, one request after the other, until the
/// peer leaves. `api` is borrowed and outlives the event loop's last turn; the session keeps itself
/// and `census` alive.
void serve(boost::asio::local::stream_protocol::socket socket, Peer peer, Api& api,
           const Limits& limits, std::shared_ptr<Census> census);

}  // namespace viaduct::daemon::master::control
