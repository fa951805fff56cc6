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
  std::string path;
};

/// The log files that these settings name; nothing for the other kinds of target.
std::vector<BridgeLogFile> bridge_log_files(const config::Settings& settings);

}  // namespace viaduct::daemon::master
