#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/channel/message.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/settings.hpp"

namespace viaduct::daemon::master {

/// A log file that the bridge writes and only the master may open.
struct BridgeLogFile {
  channel::LogTarget target = channel::LogTarget::log;
  std::uint32_t app = 0;  ///< LogTarget::app and slow only: its index
  config::LogTarget to;   ///< a file; LogTarget::access: anything but off
};

/// The logs that these settings name and the bridge cannot open itself.
std::vector<BridgeLogFile> bridge_log_files(const config::Settings& settings);

/// Opens it: a file, standard error, or a connection to the journal or to syslog. Throws
/// std::system_error, which names it.
UniqueFd open_log(const config::LogTarget& to);

}  // namespace viaduct::daemon::master
