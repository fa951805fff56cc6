#pragma once

#include <string>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::channel {

/// Opens the directory (O_PATH) in which a file is about to be made or written. Root follows a
/// symbolic link that another user made, or could exchange, only to a directory of that user:
/// nobody leads root to where he may not write himself. Without a descriptor errno says why; EPERM:
/// such a link.
[[nodiscard]] UniqueFd open_place(const std::string& directory);

}  // namespace viaduct::daemon::channel
