#include "daemon/config/memory_policy.hpp"

#include <algorithm>

namespace viaduct::daemon::config {

namespace {

constexpr std::uint64_t kLeastStep = 64 * 1024;
constexpr std::uint64_t kLeastSlack = 1024 * 1024;

}  // namespace

std::uint64_t MemoryPolicy::step() const {
  return std::max(limit / 16 / std::max(threads, 1U), kLeastStep);
}

std::uint64_t MemoryPolicy::excess(std::uint64_t held) const {
  return held > limit ? excess_of_expendable(held) : 0;
}

std::uint64_t MemoryPolicy::excess_of_expendable(std::uint64_t held) const {
  return refuses(held) ? held - (limit - limit / 4) : 0;
}

std::uint64_t MemoryPolicy::heap_slack() const {
  return std::max(limit / 8, kLeastSlack);
}

std::uint64_t MemoryPolicy::footprint_limit() const {
  return limit + heap_slack() + connections * kMemoryOfConnection;
}

std::uint64_t MemoryPolicy::footprint_target() const {
  return footprint_limit() - heap_slack() / 2;
}

std::uint64_t MemoryPolicy::excess_of_footprint(std::uint64_t footprint, std::uint64_t held) const {
  if (limit == 0 || footprint <= footprint_target() || held <= limit / 8) return 0;
  return footprint - (footprint_target() - limit / 4);
}

std::uint64_t memory_bound(const GlobalLimits& limits, std::uint32_t threads,
                           std::uint64_t params) {
  if (limits.memory == 0) return 0;
  const MemoryPolicy policy{limits.memory, threads, limits.connections};
  const std::uint64_t thread = policy.step() + kMemoryOfThread + kCopiesOfParams * params;
  return policy.footprint_limit() + threads * thread + kMemoryOfProcess;
}

}  // namespace viaduct::daemon::config
