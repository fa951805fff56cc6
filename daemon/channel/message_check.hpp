#pragma once

#include <cstddef>
#include <string_view>

#include "daemon/channel/message.hpp"

namespace viaduct::daemon::channel {

/// Checks a message that a bridge sent before anything is done with it: the bridge may be in other
/// hands. `apps`: how many its settings have. Returns why no bridge sends such a message, or "".
std::string_view violation_of(const Message& message, std::size_t apps);

}  // namespace viaduct::daemon::channel
