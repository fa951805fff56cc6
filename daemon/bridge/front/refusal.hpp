#pragma once

#include <vector>

#include "daemon/config/request_settings.hpp"
#include "protocol/codec.hpp"

namespace viaduct::daemon::bridge {

/// A complete short response of the bridge's own. `with_body` false: for a request with HEAD, whose
/// front wants no body.
void answer(protocol::ServerCodec& codec, protocol::RequestId id, int status,
            bool with_body = true);

/// Sets and drops the variables that the configuration names, and drops VIADUCT_* of a front server
/// that is not trusted with them.
void apply_overrides(const std::vector<config::ParamOverride>& overrides, bool trusted,
                     protocol::Pairs& params);

/// Tells SDK workers who reads files that they answer with: VIADUCT_SEND_FILE is "off" where the
/// front server does not deliver them, and absent otherwise. What the front server or the
/// configuration says of it does not count. `may_be_said`: whether it may be there, as behind
/// apply_overrides() of a front server that is not trusted, without overrides, it is not.
void tell_delivery(bool front_delivers, bool may_be_said, protocol::Pairs& params);

}  // namespace viaduct::daemon::bridge
