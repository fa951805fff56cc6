#pragma once

#include <sys/resource.h>

#include <cstdint>

namespace viaduct::daemon::master {

/// The soft limit of descriptors (RLIMIT_NOFILE) of this process. It is raised for master and
/// bridges, which wait by epoll; other programs are started with the one that this process had,
/// since select(2) breaks above 1024.
class DescriptorLimit {
 public:
  /// Remembers the limit as it is.
  DescriptorLimit();

  /// The soft limit becomes `wanted`, as far as the hard one allows, and never less than it was at
  /// first. Processes that are started later inherit it.
  void raise(std::uint64_t wanted) noexcept;

  /// The soft limit as it was at first.
  [[nodiscard]] rlim_t original() const noexcept { return original_.rlim_cur; }

 private:
  rlimit original_{};
};

}  // namespace viaduct::daemon::master
