#pragma once

#include <cstdint>

namespace viaduct::daemon::master {

/// What became of the requests that the workers of a pool were given.
struct Outcomes {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;  ///< answered 5xx by the application, or lost, broken off, timed out

  bool operator==(const Outcomes&) const = default;
};

/// Whether the new workers of an app fail where the old ones did not: the share of errors is more
/// than twice the old one, by at least a handful of requests, and chance would hardly make it so
/// (one-sided test of two proportions at three standard deviations). Old workers without requests
/// say nothing: then half of the new ones' requests must be errors.
[[nodiscard]] bool fails_probation(const Outcomes& before, const Outcomes& now);

}  // namespace viaduct::daemon::master
