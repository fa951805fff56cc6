#include "daemon/master/backoff.hpp"

#include <algorithm>

namespace viaduct::daemon::master {

namespace {

std::chrono::milliseconds doubled(const BackoffPolicy& policy, unsigned times) {
  auto delay = policy.initial;
  for (unsigned i = 0; i < times && delay < policy.cap; ++i) delay *= 2;
  return std::min(delay, policy.cap);
}

}  // namespace

Restart next_restart(const BackoffPolicy& policy, unsigned failures, bool was_ready,
                     std::chrono::milliseconds uptime, double jitter) {
  if (was_ready && uptime >= policy.reset_after) failures = 0;
  // Beyond this the delay is the cap whatever the policy; the count must not wrap around.
  const unsigned counted = std::min(failures + 1, 64u);
  if (was_ready && failures < policy.at_once) return {counted, std::chrono::milliseconds(0)};
  const auto full = doubled(policy, was_ready ? failures - policy.at_once : failures);
  const auto spread = static_cast<std::chrono::milliseconds::rep>(
      static_cast<double>(full.count()) * (0.5 + jitter / 2));
  return {counted, std::chrono::milliseconds(spread)};
}

}  // namespace viaduct::daemon::master
