#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/cgroup_place.hpp"
#include "daemon/config/isolation.hpp"

namespace viaduct::daemon::master {

/// A cgroup that cannot be had; names file and reason.
class CgroupError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What is written into which file of a new cgroup, in this order: memory.max "67108864",
/// cpu.max "50000 100000", pids.max "20".
using CgroupValues = std::vector<std::pair<std::string, std::string>>;
CgroupValues cgroup_values(const config::Isolation& isolation);

/// "shop.812.17": of the worker with this serial of the master with this process number. Names of
/// apps have no dot. Several masters may share a place, during an upgrade.
std::string cgroup_name(const std::string& app, pid_t master, std::uint64_t serial);

/// The master in such a name; nothing when it is another name.
std::optional<pid_t> master_in(const std::string& cgroup_name);

/// The cgroups of workers, one each, in the place that was delegated to this daemon:
///
///   PLACE                      cgroup.subtree_control: +memory ..., where a worker has limits
///   PLACE/viaduct-daemon       the daemon's own processes, then; else they stay in PLACE
///   PLACE/shop.812.17          a worker with what it starts; removed when all that has ended
///
/// No controller is needed to tell and to kill what a worker has started. A cgroup that hands
/// controllers down has no processes of its own, hence the second line.
///
/// Single-threaded.
class CgroupTree {
 public:
  explicit CgroupTree(config::CgroupPlace place);
  /// Waits a second at most for killed processes to end, so that no cgroup is left.
  ~CgroupTree();
  CgroupTree(const CgroupTree&) = delete;
  CgroupTree& operator=(const CgroupTree&) = delete;

  /// Whether there is a place at all.
  [[nodiscard]] bool available() const { return place_.problem.empty(); }

  /// Removes empty cgroups that masters which were killed have left.
  void remove_abandoned() noexcept;

  /// Lets cgroups in the place use the controllers. Moves the daemon and its children out of it,
  /// and refuses a place with other processes, unless it is the root cgroup. Throws CgroupError.
  void enable(const std::vector<std::string>& controllers);

  /// Makes the cgroup `name` with these values. Returns its cgroup.procs, open for writing. Throws
  /// CgroupError.
  UniqueFd create(const std::string& name, const CgroupValues& values);

  /// Kills what is left in the cgroup and removes it. Processes that take their time to end are
  /// waited for by the next calls.
  void remove(const std::string& name) noexcept;

  /// Removes the cgroup unless a process is in it: then false.
  bool remove_empty(const std::string& name) noexcept;

  /// Removes those that were killed and have become empty.
  void sweep() noexcept;

 private:
  std::string path(const std::string& name) const { return place_.directory + '/' + name; }
  void empty_place();
  void move_own_processes();
  void kill_all(const std::string& name) const noexcept;

  config::CgroupPlace place_;
  std::vector<std::string> ended_;  // to be removed
};

}  // namespace viaduct::daemon::master
