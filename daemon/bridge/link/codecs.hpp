#pragma once

#include <memory>

#include "daemon/config/request_settings.hpp"
#include "protocol/client_codec.hpp"

namespace viaduct::daemon::bridge {

/// The client side of that protocol, for one connection.
std::unique_ptr<protocol::ClientCodec> make_client_codec(config::ServerProtocol protocol);

}  // namespace viaduct::daemon::bridge
