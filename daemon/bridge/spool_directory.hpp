#pragma once

#include <cstdlib>
#include <string>

namespace viaduct::daemon::bridge {

/// Where temporary files are made: TMPDIR, else /tmp.
[[nodiscard]] inline std::string spool_directory() {
  const char* const chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/tmp";
}

}  // namespace viaduct::daemon::bridge
