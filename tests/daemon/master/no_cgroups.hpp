#pragma once

#include "daemon/config/cgroup_place.hpp"

namespace viaduct::daemon::master {

/// Where nothing is delegated: workers have no cgroups of their own.
inline config::CgroupPlace no_cgroups() {
  config::CgroupPlace place;
  place.problem = "cgroup v2 is not mounted";
  return place;
}

}  // namespace viaduct::daemon::master
