// Paths, and by whom the file they lead to can be changed.
#pragma once

#include <string>

namespace viaduct::daemon::config {

// Whether only root can change the file and which file the path names: it and every directory above
// belong to root, nobody else may write to them, and no part of the path is a symbolic link.
bool only_root_can_change(const std::string& path);

}  // namespace viaduct::daemon::config
