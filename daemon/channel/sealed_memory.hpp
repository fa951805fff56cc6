#pragma once

#include <string_view>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::channel {

/// A sealed, close-on-exec memfd that holds `text`: whoever gets it can read it and nobody can
/// change it. Throws std::system_error.
UniqueFd sealed_memory(const char* name, std::string_view text);

}  // namespace viaduct::daemon::channel
