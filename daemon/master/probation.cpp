#include "daemon/master/probation.hpp"

#include <cmath>

namespace viaduct::daemon::master {

namespace {

constexpr std::uint64_t kLeastErrors = 5;
constexpr double kDeviations = 3;

double share(const Outcomes& outcomes) {
  return static_cast<double>(outcomes.errors) / static_cast<double>(outcomes.requests);
}

}  // namespace

bool fails_probation(const Outcomes& before, const Outcomes& now) {
  if (now.errors < kLeastErrors || now.requests == 0) return false;
  if (before.requests == 0) return share(now) >= 0.5;
  const double difference = share(now) - share(before);
  if (difference <= share(before)) return false;
  const auto old_count = static_cast<double>(before.requests);
  const auto new_count = static_cast<double>(now.requests);
  const double all = static_cast<double>(before.errors + now.errors) / (old_count + new_count);
  const double deviation = std::sqrt(all * (1 - all) * (1 / old_count + 1 / new_count));
  return difference > kDeviations * deviation;
}

}  // namespace viaduct::daemon::master
