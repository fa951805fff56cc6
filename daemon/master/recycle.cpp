#include "daemon/master/recycle.hpp"

#include <algorithm>

namespace viaduct::daemon::master {

namespace {

/// Up to a tenth less, at least 1.
std::uint64_t spread(std::uint64_t limit, double jitter) {
  const auto off = static_cast<std::uint64_t>(static_cast<double>(limit) * 0.1 * jitter);
  return std::max<std::uint64_t>(limit - off, 1);
}

bool reached(std::uint64_t limit, std::uint64_t used) {
  return limit != 0 && used >= limit;
}

}  // namespace

std::string_view limit_reached(const config::AppLimits& limits, const WorkerUse& use,
                               double jitter) {
  const auto off = [](std::uint64_t limit) { return limit == 0; };
  const auto age = static_cast<std::uint64_t>(limits.age.count());
  if (!off(limits.requests) && reached(spread(limits.requests, jitter), use.requests))
    return "requests";
  if (!off(age) && reached(spread(age, jitter), static_cast<std::uint64_t>(use.age.count())))
    return "age";
  if (reached(limits.memory, use.memory)) return "memory";
  return {};
}

std::size_t recycled_at_once(std::size_t places) {
  return std::max<std::size_t>(places / 4, 1);
}

}  // namespace viaduct::daemon::master
