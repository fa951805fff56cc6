#pragma once

#include <chrono>

namespace viaduct::daemon::master {

/// How long to wait before something that died is started again. Pure functions of numbers.
struct BackoffPolicy {
  std::chrono::milliseconds initial{250};
  std::chrono::milliseconds cap{30'000};
  std::chrono::milliseconds reset_after{10'000};  ///< who lived that long starts afresh
  unsigned at_once = 4;                           ///< restarts without delay of somebody who worked
};

struct Restart {
  unsigned failures = 0;  ///< deaths in a row, to be given to the next call
  std::chrono::milliseconds delay{0};
};

/// `failures` is what the previous call returned (0 at first), `was_ready` whether it ever worked
/// and `uptime` how long it lived. Somebody who worked and dies is started again at once the first
/// `at_once` times; who never worked waits from the beginning. Each further death doubles the
/// delay, up to the cap. `jitter` in [0, 1) spreads it over the upper half, so that many do not
/// restart together.
Restart next_restart(const BackoffPolicy& policy, unsigned failures, bool was_ready,
                     std::chrono::milliseconds uptime, double jitter);

}  // namespace viaduct::daemon::master
