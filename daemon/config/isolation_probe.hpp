// Which isolation this process can give its workers. A part of the seam to the system (system.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/config/cgroup_place.hpp"

namespace viaduct::daemon::config {

// Steps are tried out rather than derived from permissions, which seccomp filters, security
// modules and containers overrule. Nothing of what is tried stays. Answers are errno, 0 for
// success.
class IsolationProbe {
 public:
  virtual ~IsolationProbe() = default;

  virtual int change_root(const std::string& directory) const = 0;
  virtual int set_nice(int nice) const = 0;
  virtual int mount() const = 0;              // in a mount namespace of its own
  virtual int drop_capabilities() const = 0;  // from the bounding set
  virtual bool holds_capability(int number) const = 0;
  virtual int limit_files(std::uint64_t count) const = 0;
  virtual int limit_core(std::uint64_t bytes) const = 0;
  virtual std::vector<std::uint32_t> usable_cpus() const = 0;  // ascending
  virtual CgroupPlace cgroup() const = 0;
};

// Of the machine this process runs on. Stateless; lives as long as the program.
const IsolationProbe& real_isolation_probe();

}  // namespace viaduct::daemon::config
