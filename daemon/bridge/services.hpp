#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "daemon/bridge/dispatch/spool.hpp"
#include "daemon/bridge/front/client_counts.hpp"
#include "daemon/bridge/memory/thread_memory.hpp"
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
  /// Bit of mended_heads: a response that names a file was refused.
  static constexpr std::uint8_t kNamedFile = 0x80;

  ProcessMemory memory;
  ClientCounts clients{0};
  Spool spool{"", 0};
  std::atomic<std::int64_t> connections = 0;  ///< front connections open
  /// Bits of protocol::Mend that were reported, and kNamedFile; by the score of the app.
  std::array<std::atomic<std::uint8_t>, Scoreboard::kMaxApps> mended_heads{};
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
