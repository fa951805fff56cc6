// Where viaductd may make cgroups (version 2) for its workers: below its own, when that has been
// delegated to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace viaduct::daemon::config {

// A cgroup with children has no processes of its own. The daemon's own go into this one, from
// which the place for workers is the directory above.
inline constexpr std::string_view kDaemonCgroup = "viaduct-daemon";

struct CgroupPlace {
  std::string directory;                 // below which cgroups are made; "" when `problem` is set
  std::vector<std::string> controllers;  // that can be used there
  std::string problem;                   // why there is none, in words
};

// The directory below which cgroups are made, or why there is none, from the texts of
// /proc/self/cgroup and /proc/self/mountinfo. `controllers` is left empty.
CgroupPlace cgroup_place(std::string_view cgroups, std::string_view mounts);

// The same of the running system, with the controllers; a place that this process cannot write to
// is none.
CgroupPlace find_cgroup_place();

}  // namespace viaduct::daemon::config
