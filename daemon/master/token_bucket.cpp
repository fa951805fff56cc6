#include "daemon/master/token_bucket.hpp"

#include <algorithm>

namespace viaduct::daemon::master {

double TokenBucket::tokens_at(Clock::time_point now) const {
  const std::chrono::duration<double> passed = std::max(now - since_, Clock::duration::zero());
  return std::min(most_, tokens_ + passed.count() * rate_);
}

void TokenBucket::spend(double tokens, Clock::time_point now) {
  tokens_ = tokens_at(now) - tokens;
  since_ = std::max(now, since_);
}

TokenBucket::Clock::duration TokenBucket::wait(Clock::time_point now) const {
  const double missing = 1 - tokens_at(now);
  if (missing <= 0) return Clock::duration::zero();
  return std::chrono::ceil<std::chrono::milliseconds>(
      std::chrono::duration<double>(missing / rate_));
}

}  // namespace viaduct::daemon::master
