#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "daemon/bridge/dispatch/wait_queue.hpp"
#include "daemon/config/bridge_settings.hpp"

namespace viaduct::daemon::bridge {

/// The lanes of an app: one for each priority, and one for each of its routes that has a limit,
/// whichever listener they belong to.
std::deque<Lane> lanes_of(const config::BridgeSettings& settings, std::string_view app);

/// The one among the lanes of its app in which the requests of a route queue.
std::uint32_t lane_of(const config::BridgeSettings& settings, std::size_t listener,
                      std::size_t route);

}  // namespace viaduct::daemon::bridge
