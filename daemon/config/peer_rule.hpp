// Who may connect to a listener, and whose word about the client it believes: the rules of
// protocol/peer_rule.hpp under the names of the configuration.
#pragma once

#include "protocol/peer_rule.hpp"

namespace viaduct::daemon::config {

using protocol::IpBytes;
using protocol::matches_address;
using protocol::parse_peer_rule;
using protocol::PeerRule;
using protocol::principal;

}  // namespace viaduct::daemon::config
