#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "daemon/config/app_settings.hpp"

namespace viaduct::daemon::master {

/// What the bridges report of an app, all of them together.
struct PoolLoad {
  std::uint32_t busy = 0;              ///< requests at workers, without what they have prefetched
  std::uint32_t queued = 0;            ///< requests waiting for a worker
  std::chrono::milliseconds delay{0};  ///< how long the oldest of these has waited

  bool operator==(const PoolLoad&) const = default;
};

/// A queue that is younger than this is left to the workers there are.
inline constexpr std::chrono::milliseconds kQueuePatience{100};
/// Between two steps of growth, of which each at most doubles the pool.
inline constexpr std::chrono::milliseconds kGrowthInterval{100};

/// How many workers the load calls for at this moment, from `limits.min` to `limits.max`: enough
/// for the requests at work and for those that have waited too long, each worker taking `capacity`
/// at once, and `limits.spare` idle ones, unless there is nothing to do. `capacity` 0: not known
/// yet; then one worker is to show it before more are started.
std::uint32_t workers_needed(const config::Workers& limits, const PoolLoad& load,
                             std::uint32_t capacity, std::uint32_t present);

/// The size of a pool over time. Growth is immediate but at most doubles the pool in one step;
/// after `limits.idle` during which fewer workers would have done, the pool shrinks to the most
/// that were needed in that time. With `limits.idle` 0 it never shrinks. Pure: told the time.
class PoolSize {
 public:
  using Clock = std::chrono::steady_clock;

  /// The number of places from now on, given that there are `present`.
  std::uint32_t next(Clock::time_point now, const config::Workers& limits, const PoolLoad& load,
                     std::uint32_t capacity, std::uint32_t present);

 private:
  struct Below {
    Clock::time_point since;
    std::uint32_t peak;
  };

  std::uint32_t shrunk(Clock::time_point now, const config::Workers& limits, std::uint32_t needed,
                       std::uint32_t present);

  std::optional<Clock::time_point> grown_at_;
  std::optional<Below> below_;  // since when fewer would do, and the most needed meanwhile
};

}  // namespace viaduct::daemon::master
