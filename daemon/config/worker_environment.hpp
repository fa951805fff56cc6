// The environment variables that workers of an app start with.
#pragma once

#include <map>
#include <string>

#include "daemon/config/app_settings.hpp"

namespace viaduct::daemon::config {

using Environment = std::map<std::string, std::string>;

// Where commands without a slash are looked for when nobody has set PATH.
inline constexpr const char* kDefaultSearchPath = "/usr/local/bin:/usr/bin:/bin";

// What the configuration says: `env`, over it the files of `env_file` in order, as systemd does.
Environment configured_environment(const AppSettings& app);

// The whole of it, except for the VIADUCT_* variables that differ from worker to worker:
//   1. from `inherited`: PATH, LANG, LC_* and TZ; with clear_env: false everything but
//      NOTIFY_SOCKET, FDSTORE, LISTEN_*, WATCHDOG_*, VIADUCT_* and FCGI_WEB_SERVER_ADDRS
//   2. PATH when there was none; HOME, USER, LOGNAME and SHELL of the app's user
//   3. configured_environment()
// each laid over what stands before it.
Environment worker_environment(const AppSettings& app, const Environment& inherited);

}  // namespace viaduct::daemon::config
