#pragma once

#include <atomic>
#include <cstdint>

#include "daemon/bridge/reactor.hpp"
#include "daemon/channel/scoreboard.hpp"

namespace viaduct::daemon::log {
class Log;
class RateLimit;
}  // namespace viaduct::daemon::log

namespace viaduct::daemon::bridge {

class AccessLog;
class Exchange;
class ExchangeList;

/// Bytes that all threads buffer for requests, as last counted: a bound on the bridge as a whole,
/// besides the bounds on each request. While it is exceeded new requests are answered 503.
struct MemoryUse {
  std::uint64_t limit = 0;  ///< 0: none
  std::atomic<std::uint64_t> buffered = 0;

  [[nodiscard]] bool exceeded() const {
    return limit != 0 && buffered.load(std::memory_order_relaxed) > limit;
  }
};

/// What everything on one thread of the bridge uses. Borrowed; outlives its users.
struct Services {
  Reactor& reactor;
  const log::Log& log;
  AccessLog& access_log;
  Scoreboard& scores;
  ExchangeList& exchanges;
  MemoryUse& memory;
};

}  // namespace viaduct::daemon::bridge
