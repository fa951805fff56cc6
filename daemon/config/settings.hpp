// The configuration as plain data: what a file said, with every default filled in, every path made
// absolute and every user and group looked up. Produced by load() (load.hpp), never changed after.
//
// Durations are milliseconds, sizes bytes. In `Timeouts` 0 means off: that step is not limited.
// The spelling of every key, and its default, is in conf/viaduct.yaml.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/account.hpp"
#include "daemon/config/address.hpp"
#include "daemon/config/app_settings.hpp"
#include "daemon/config/listener_settings.hpp"
#include "daemon/config/log_settings.hpp"
#include "daemon/config/origin.hpp"
#include "daemon/config/request_settings.hpp"
#include "daemon/config/sandbox_mode.hpp"

namespace viaduct::daemon::config {

struct ControlSettings {
  Address address;  // always unix_path; default runtime_dir/control.sock
  mode_t mode = 0660;
  std::string group;
  std::optional<gid_t> gid;  // of `group`

  bool operator==(const ControlSettings&) const = default;
};

struct BridgeProcessSettings {
  std::uint32_t threads = 1;
  SandboxMode sandbox = SandboxMode::automatic;
  std::string spool;  // absolute: where temporary files are made; "": $TMPDIR, else /tmp
  Identity identity;
};

struct Settings {
  std::string file;                  // the main configuration file, as given to load()
  std::vector<std::string> include;  // patterns as written
  std::string runtime_dir;           // absolute
  ControlSettings control;
  LogSettings log;
  AccessLogSettings access_log;
  BridgeProcessSettings bridge;
  GlobalLimits limits;
  std::vector<ListenerSettings> listeners;  // main file first, then included files in order
  std::vector<AppSettings> apps;            // in the same order
  Origins origins;
};

// The app of that name, or nullptr. Valid as long as `settings` is.
const AppSettings* find_app(const Settings& settings, std::string_view name);

}  // namespace viaduct::daemon::config
