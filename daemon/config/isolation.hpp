// What a worker is confined to, as plain data: the key `isolation` of an app.
//
// A member at its default changes nothing. Numbers hold for every worker with the processes it
// starts, not for all workers of an app together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace viaduct::daemon::config {

struct Isolation {
  std::string chroot;               // absolute; "": none
  int nice = 0;                     // -20 to 19; 0: that of viaductd
  std::vector<std::uint32_t> cpus;  // numbers of CPUs; empty: all
  bool no_new_privs = true;
  std::optional<std::vector<int>> capabilities;  // CAP_*, all that are kept; absent: unchanged
  bool private_tmp = false;
  std::vector<std::string> read_only;  // absolute, as seen inside `chroot`
  std::uint64_t memory = 0;            // bytes; 0: no limit
  std::uint32_t cpu = 0;               // percent of one CPU; 0: no limit
  std::uint32_t pids = 0;              // processes and threads; 0: no limit
  std::uint32_t nofile = 0;            // descriptors; 0: the limit of viaductd
  std::optional<std::uint64_t> core;   // bytes of a core file; absent: the limit of viaductd
  bool optional = false;               // what is not available is left out

  bool operator==(const Isolation&) const = default;
};

// Whether a worker needs a mount namespace, a cgroup, of its own.
bool needs_mounts(const Isolation& isolation);
bool needs_cgroup(const Isolation& isolation);

// The cgroup v2 controllers that carry out its limits: of "memory", "cpu" and "pids".
std::vector<std::string> controllers(const Isolation& isolation);

// "CAP_KILL" to its number, and back; absent and "" for what this version does not know.
std::optional<int> capability_number(std::string_view name);
std::string_view capability_name(int number);
const std::vector<std::string_view>& capability_names();  // by number

}  // namespace viaduct::daemon::config
