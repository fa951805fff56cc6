#include "daemon/bridge/link/prefetch.hpp"

#include <algorithm>

namespace viaduct::daemon::bridge {

namespace {

// Weight of one request in the average.
constexpr int kWeight = 16;

}  // namespace

void Prefetch::ended(Clock::duration taken, Clock::time_point now) {
  usual_ += (std::min<Clock::duration>(taken, kLongest) - usual_) / kWeight;
  last_ = now;
}

}  // namespace viaduct::daemon::bridge
