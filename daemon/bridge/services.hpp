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

/// What all threads of this process use together. The scoreboard's gauges will not do for deciding:
/// a bridge that crashed never takes back what it had counted there.
struct ProcessUse {
  std::uint64_t memory_limit = 0;  ///< 0: none
  /// Bytes buffered for requests, as last counted: a bound on the bridge as a whole, besides the
  /// bounds on each request. While it is exceeded new requests are answered 503.
  std::atomic<std::uint64_t> buffered = 0;
  std::atomic<std::int64_t> connections = 0;  ///< front connections open

  [[nodiscard]] bool memory_exceeded() const {
    return memory_limit != 0 && buffered.load(std::memory_order_relaxed) > memory_limit;
  }
};

/// What everything on one thread of the bridge uses. Borrowed; outlives its users.
struct Services {
  Reactor& reactor;
  const log::Log& log;
  AccessLog& access_log;
  Scoreboard& scores;
  ExchangeList& exchanges;
  ProcessUse& use;
};

}  // namespace viaduct::daemon::bridge
