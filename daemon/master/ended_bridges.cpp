#include "daemon/master/ended_bridges.hpp"

#include <algorithm>

namespace viaduct::daemon::master {

void EndedBridges::add(pid_t pid, Clock::time_point now) {
  while (!ended_.empty() && now - ended_.front().at >= kTime) ended_.pop_front();
  if (ended_.size() == kMax) ended_.pop_front();
  ended_.push_back({pid, now});
}

bool EndedBridges::contains(pid_t pid, Clock::time_point now) const {
  return std::any_of(ended_.begin(), ended_.end(), [pid, now](const Ended& ended) {
    return ended.pid == pid && now - ended.at < kTime;
  });
}

std::vector<pid_t> EndedBridges::recent(Clock::time_point now) const {
  std::vector<pid_t> pids;
  for (const Ended& ended : ended_) {
    if (now - ended.at < kTime) pids.push_back(ended.pid);
  }
  return pids;
}

}  // namespace viaduct::daemon::master
