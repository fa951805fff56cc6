#pragma once

#include <cstdint>
#include <string_view>

namespace viaduct::daemon::master {

/// What a child does between fork and exec, in this order. A failure is reported with its stage.
enum class SpawnStage : std::int32_t {
  session,       ///< setsid
  cgroup,        ///< enters the cgroup made for it
  descriptors,   ///< dup2, close_range
  open_files,    ///< RLIMIT_NOFILE
  core,          ///< RLIMIT_CORE
  nice,          ///< setpriority
  cpus,          ///< sched_setaffinity
  mounts,        ///< unshare, from which on mounts are its own
  chroot,        ///< chroot, and chdir into it
  read_only,     ///< bind mounts without write access
  private_tmp,   ///< tmpfs on /tmp and /var/tmp
  capabilities,  ///< the bounding set
  groups,        ///< setgroups
  group,         ///< setresgid
  user,          ///< setresuid
  ambient,       ///< capset, the ambient set
  privileges,    ///< PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG
  directory,     ///< chdir, as that user
  exec,          ///< execve
};
std::string_view to_string(SpawnStage stage);

struct SpawnFailure {
  SpawnStage stage = SpawnStage::exec;
  std::int32_t error = 0;  ///< errno
  std::int32_t item = 0;   ///< read_only: which of the paths
};

}  // namespace viaduct::daemon::master
