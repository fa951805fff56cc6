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

std::uint64_t memory_bound(const GlobalLimits& limits, std::uint32_t threads) {
  if (limits.memory == 0) return 0;
  const MemoryPolicy policy{limits.memory, threads};
  return limits.memory + threads * policy.step() + policy.heap_slack() +
         limits.connections * kMemoryOfConnection + threads * kMemoryOfThread + kMemoryOfProcess;
}

}  // namespace viaduct::daemon::config
