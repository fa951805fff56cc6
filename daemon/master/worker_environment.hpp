#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/app_settings.hpp"
#include "daemon/config/worker_environment.hpp"

namespace viaduct::daemon::master {

/// By what it says, processes that a worker leaves behind are told from those of others (Orphans).
inline constexpr std::string_view kSerialVariable = "VIADUCT_WORKER_SERIAL";

/// This process's own environment.
config::Environment own_environment();

/// What a worker of `app` named `worker` ("shop/1") gets: config::worker_environment() and the
/// variables by which the SDK learns where it runs: VIADUCT_APP, VIADUCT_WORKER, VIADUCT_STOP_MS
/// (milliseconds for draining, a little less than timeouts.stop) and, when configured,
/// VIADUCT_MODEL, VIADUCT_LIMIT and VIADUCT_SEND_FILE. Its successor has its name, but another
/// VIADUCT_WORKER_SERIAL.
config::Environment worker_environment(const config::AppSettings& app, const std::string& worker,
                                       std::uint64_t serial, const config::Environment& inherited);

/// The environment of a bridge: LANG, LC_*, TZ, PATH, TMPDIR, RES_OPTIONS and LOCALDOMAIN. Other
/// variables of the daemon may hold secrets.
config::Environment bridge_environment(const config::Environment& inherited);

/// "NAME=value" strings, as execve(2) takes them.
std::vector<std::string> to_strings(const config::Environment& environment);

}  // namespace viaduct::daemon::master
