#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/channel/message.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/settings.hpp"
#include "daemon/master/log_copier.hpp"
#include "daemon/master/log_file.hpp"

namespace viaduct::daemon::master {

/// A log, beside the daemon's, into which a bridge writes.
struct BridgeLog {
  channel::LogTarget target = channel::LogTarget::access;
  std::uint32_t app = 0;  ///< LogTarget::app and slow only: its index
  config::LogTarget to;
  std::string key;  ///< that names it: "apps.shop.slow_log"
};

/// The logs of these settings that a bridge is given: not those of apps that go where the daemon's
/// goes, nor those that a bridge sends to the journal or syslog itself.
std::vector<BridgeLog> bridge_logs_of(const config::Settings& settings);

/// The logs of one generation. Files and standard error stay with the master: a bridge gets a pipe
/// to each, so that it can add lines and do nothing else.
class BridgeLogs {
 public:
  /// Opens them. `settings` and `copier` are borrowed. Throws StartError, which names the key, when
  /// one cannot be opened.
  BridgeLogs(LogCopier& copier, const config::Settings& settings);

  /// Opens the files anew; bridges do not notice. Returns what went wrong, by file: its lines go on
  /// to where they went.
  std::vector<std::string> reopen();

  /// Lines that files did not take (a full disk) since the last call, by the key that names the
  /// log.
  std::vector<std::pair<std::string, std::uint64_t>> take_lost();

  /// For a new bridge's own log; none where it sends that to the journal or syslog itself. Throws
  /// std::system_error.
  UniqueFd daemon_pipe();
  /// Gives out what a new bridge is to be told of the other logs, with the descriptor that belongs
  /// to it. Throws std::system_error.
  void introduce(const std::function<void(const channel::Message&, UniqueFd)>& give);

 private:
  struct Open {
    BridgeLog log;
    std::shared_ptr<LogFile> file;  // null: the journal, syslog
  };
  UniqueFd descriptor_of(const Open& open);

  LogCopier& copier_;
  const config::Settings& settings_;
  std::shared_ptr<LogFile> daemon_;
  std::vector<Open> others_;
};

}  // namespace viaduct::daemon::master
