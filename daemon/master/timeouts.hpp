#pragma once

#include <algorithm>
#include <chrono>

#include "daemon/config/settings.hpp"

namespace viaduct::daemon::master {

/// How long a drain of everything may take: the longest timeouts.stop. An app without a limit (0)
/// gets an hour, so that an abandoned connection does not keep a generation for ever.
inline std::chrono::milliseconds longest_stop(const config::Settings& settings) {
  constexpr std::chrono::milliseconds kUnlimited = std::chrono::hours(1);
  std::chrono::milliseconds longest{0};
  for (const config::AppSettings& app : settings.apps) {
    const auto stop = app.timeouts.stop.count() == 0 ? kUnlimited : app.timeouts.stop;
    longest = std::max(longest, stop);
  }
  return longest;
}

}  // namespace viaduct::daemon::master
