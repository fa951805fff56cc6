// The effective configuration as text, for viaductd --dump.
#pragma once

#include <string>

#include "daemon/config/settings.hpp"

namespace viaduct::daemon::config {

// A YAML document that load() reads as the same settings. Behind each value stands "# FILE:LINE",
// the place that set it, or "# default". `defaults` and `include` are not repeated: their outcome
// is. What env_files hold is never printed, only their names.
std::string dump(const Settings& settings);

}  // namespace viaduct::daemon::config
