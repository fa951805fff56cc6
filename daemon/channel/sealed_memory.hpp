#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::channel {

/// A sealed, close-on-exec memfd that holds `text`: whoever gets it can read it and nobody can
/// change it. Throws std::system_error.
UniqueFd sealed_memory(const char* name, std::string_view text);

/// The content of such a memfd that another process made. Nothing when the descriptor is something
/// else, could still be changed, or holds more than `limit` bytes. Never waits.
std::optional<std::string> read_sealed_memory(int descriptor, std::size_t limit);

}  // namespace viaduct::daemon::channel
