#pragma once

#include "daemon/config/isolation.hpp"
#include "daemon/config/schema.hpp"

namespace viaduct::daemon::config {

// The keys of `isolation`.
Keys<Isolation> isolation_keys();

}  // namespace viaduct::daemon::config
