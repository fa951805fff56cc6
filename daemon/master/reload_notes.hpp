#pragma once

#include <string>
#include <vector>

#include "daemon/config/changes.hpp"
#include "daemon/master/reload_plan.hpp"

namespace viaduct::daemon::master {

/// What a reload has changed beside the workers, for the end of its summary(): of apps that are
/// kept their other keys, then listeners, then the rest. `reopened`: addresses of listeners whose
/// socket file was gone.
/// "; also changed: shop (timeouts), listener unix:/a (mode), listener unix:/b opened anew, log
/// (level)", or "".
std::string notes(const config::Changes& changes, const ReloadPlan& plan,
                  const std::vector<std::string>& reopened);

}  // namespace viaduct::daemon::master
