// Where the temporary files of the bridge lie, and what that means for its memory.
#pragma once

#include <string>

#include "daemon/config/settings.hpp"
#include "daemon/config/system.hpp"

namespace viaduct::daemon::config {

struct SpoolPlace {
  std::string directory;
  bool in_memory = false;  // tmpfs: what is written takes memory or swap
};

SpoolPlace spool_place(const Settings& settings, const System& system);

}  // namespace viaduct::daemon::config
