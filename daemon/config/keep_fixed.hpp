// What a reload cannot change.
#pragma once

#include "daemon/config/load.hpp"

namespace viaduct::daemon::config {

// `next` with runtime_dir, control, and the bridge's user and groups as they are in the running
// daemon. Adds a warning for each that differs, and an error when an app of `next` has the user
// that the bridge goes on with (only as root, where the bridge has a user of its own).
LoadResult keep_fixed(LoadResult next, const Settings& running);

}  // namespace viaduct::daemon::config
