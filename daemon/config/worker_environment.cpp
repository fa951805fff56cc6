#include "daemon/config/worker_environment.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace viaduct::daemon::config {
namespace {

bool begins_with_any(std::string_view name, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

bool survives_clearing(std::string_view name) {
  return name == "PATH" || name == "LANG" || name == "TZ" || name.starts_with("LC_");
}

// They belong to the daemon's own conversation with systemd and with its workers; the last one
// makes libfcgi refuse every peer that is not TCP.
bool is_private(std::string_view name) {
  return name == "NOTIFY_SOCKET" || name == "FDSTORE" || name == "FCGI_WEB_SERVER_ADDRS" ||
         begins_with_any(name, {"LISTEN_", "WATCHDOG_", "VIADUCT_"});
}

}  // namespace

Environment configured_environment(const AppSettings& app) {
  Environment result;
  for (const auto& [name, value] : app.env) result[name] = value;
  for (const auto& [name, value] : app.env_file_values) result[name] = value;
  return result;
}

Environment worker_environment(const AppSettings& app, const Environment& inherited) {
  Environment result;
  for (const auto& [name, value] : inherited)
    if (app.clear_env ? survives_clearing(name) : !is_private(name)) result[name] = value;
  result.emplace("PATH", kDefaultSearchPath);
  const Account& account = app.identity.account;
  result["HOME"] = account.home;
  result["USER"] = account.name;
  result["LOGNAME"] = account.name;
  result["SHELL"] = account.shell;
  for (auto& [name, value] : configured_environment(app)) result[name] = value;
  return result;
}

}  // namespace viaduct::daemon::config
