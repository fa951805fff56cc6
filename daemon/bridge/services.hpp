#pragma once

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

/// What everything on one thread of the bridge uses. Borrowed; outlives its users.
struct Services {
  Reactor& reactor;
  const log::Log& log;
  AccessLog& access_log;
  Scoreboard& scores;
  ExchangeList& exchanges;
};

}  // namespace viaduct::daemon::bridge
