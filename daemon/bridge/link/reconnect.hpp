#pragma once

#include <algorithm>
#include <chrono>

namespace viaduct::daemon::bridge {

/// How long nothing more is sent to a server that did not accept a connection, so often one after
/// the other (from 1). It doubles, and stays so short that requests which have no other server find
/// this one again well within the default of timeouts.queue.
constexpr std::chrono::milliseconds reconnect_delay(unsigned failures) {
  constexpr std::chrono::milliseconds kFirst{100};
  constexpr unsigned kDoublings = 4;
  return kFirst * (1U << std::min(std::max(failures, 1U) - 1, kDoublings));
}

}  // namespace viaduct::daemon::bridge
