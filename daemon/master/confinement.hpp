#pragma once

#include <sched.h>
#include <sys/resource.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/config/isolation.hpp"
#include "daemon/master/spawn_stage.hpp"

namespace viaduct::daemon::master {

/// What a child takes from itself before exec, in the form in which system calls take it. Absent
/// and empty members change nothing.
struct Confinement {
  int cgroup = -1;                   ///< its cgroup.procs, open for writing; borrowed
  std::optional<rlim_t> open_files;  ///< soft and hard limit
  std::optional<rlim_t> soft_files;  ///< the soft one alone; `open_files` comes first
  std::optional<rlim_t> core;        ///< bytes
  std::optional<int> nice;
  std::optional<cpu_set_t> cpus;
  std::string root;                           ///< chroot
  std::vector<std::string> read_only;         ///< as seen below `root`
  bool private_tmp = false;                   ///< likewise
  std::optional<std::uint64_t> capabilities;  ///< those that are kept, a bit each
};

/// All of it but the cgroup.
Confinement confinement(const config::Isolation& isolation);

/// The steps, called between fork and exec: async-signal-safe. Each answers what failed.
std::optional<SpawnFailure> enter_cgroup(const Confinement& confinement);
std::optional<SpawnFailure> limit_resources(const Confinement& confinement);
/// Mount namespace and root directory. The working directory is the new root's afterwards.
std::optional<SpawnFailure> enclose(const Confinement& confinement);
/// Drops the others from the bounding set and lets what is kept survive setresuid(2).
std::optional<SpawnFailure> bound_capabilities(const Confinement& confinement);
/// After the change of user: gives what is kept to the program, unless the user is root, who gets
/// the bounding set anyway.
std::optional<SpawnFailure> raise_capabilities(const Confinement& confinement);

}  // namespace viaduct::daemon::master
