#include "daemon/master/pool_size.hpp"

#include <algorithm>

namespace viaduct::daemon::master {

std::uint32_t workers_needed(const config::Workers& limits, const PoolLoad& load,
                             std::uint32_t capacity, std::uint32_t present) {
  const bool late = load.queued > 0 && (present == 0 || load.delay >= kQueuePatience);
  const std::uint64_t requests = std::uint64_t{load.busy} + (late ? load.queued : 0);
  if (requests == 0) return limits.min;
  if (capacity == 0) return std::clamp(std::max(present, 1u), limits.min, limits.max);
  const std::uint64_t workers = (requests + capacity - 1) / capacity + limits.spare;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(workers, limits.min, limits.max));
}

std::uint32_t PoolSize::next(Clock::time_point now, const config::Workers& limits,
                             const PoolLoad& load, std::uint32_t capacity, std::uint32_t present) {
  const std::uint32_t needed = workers_needed(limits, load, capacity, present);
  if (present < limits.min || present > limits.max) {
    below_.reset();
    return std::clamp(present, limits.min, limits.max);
  }
  if (needed < present) return shrunk(now, limits, needed, present);
  below_.reset();
  if (needed == present) return present;
  if (grown_at_ && now - *grown_at_ < kGrowthInterval) return present;
  grown_at_ = now;
  return std::min(needed, std::max(1u, 2 * present));
}

std::uint32_t PoolSize::shrunk(Clock::time_point now, const config::Workers& limits,
                               std::uint32_t needed, std::uint32_t present) {
  if (limits.idle.count() == 0) return present;
  if (!below_) below_ = Below{now, needed};
  below_->peak = std::max(below_->peak, needed);
  if (now - below_->since < limits.idle) return present;
  const std::uint32_t peak = below_->peak;
  below_ = Below{now, needed};
  return peak;
}

}  // namespace viaduct::daemon::master
