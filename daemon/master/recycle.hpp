#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "daemon/config/request_settings.hpp"

namespace viaduct::daemon::master {

/// What a worker has used up so far.
struct WorkerUse {
  std::uint64_t requests = 0;
  std::chrono::milliseconds age{0};
  std::uint64_t memory = 0;  ///< bytes; 0: not measured
};

/// The limit that a worker has reached, by the name of its key: "requests", "age" or "memory";
/// empty when none. `jitter` in [0, 1) is the worker's own and takes up to a tenth off its
/// limits.requests and limits.age, so that workers started together do not leave together.
std::string_view limit_reached(const config::AppLimits& limits, const WorkerUse& use,
                               double jitter);

/// How many workers of a pool of that size may be replaced at the same time.
std::size_t recycled_at_once(std::size_t places);

/// How often a pool recycles: how many requests a worker was given is what the bridge says, which
/// may be in other hands.
inline constexpr double kRecycledPerSecond = 16;
inline constexpr double kRecycledInARow = 64;

}  // namespace viaduct::daemon::master
