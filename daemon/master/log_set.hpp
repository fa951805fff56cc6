#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/config/settings.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::master {

/// How the configuration's log settings look to the log.
log::Settings to_log_settings(const config::LogSettings& settings, const config::LogTarget& to);

/// The daemon's log and those of the apps that have their own. References stay valid until the next
/// configure(); do not keep them.
class LogSet {
 public:
  /// Everything goes to standard error as text until configure() is called.
  LogSet();

  /// Opens all logs anew. Throws std::system_error that names the file; nothing has changed then.
  void configure(const config::Settings& settings);

  const log::Log& daemon() const { return *daemon_; }
  const log::Log& app(const std::string& name) const;

 private:
  std::unique_ptr<log::Log> daemon_;
  std::map<std::string, std::unique_ptr<log::Log>> apps_;  // only those with a target of their own
};

}  // namespace viaduct::daemon::master
