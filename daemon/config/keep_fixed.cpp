#include "daemon/config/keep_fixed.hpp"

#include <utility>

namespace viaduct::daemon::config {
namespace {

constexpr const char* kNeedsRestart = "a reload cannot change it; it stays as it is until restart";

void warn(LoadResult& next, const Settings& settings, const std::string& path) {
  const auto origin = settings.origins.find(path);
  const bool written = origin != settings.origins.end();
  next.warnings.push_back({written ? origin->second : Origin{}, path, kNeedsRestart});
}

bool has_default_place(const Settings& settings) {
  return settings.control.address.name == settings.runtime_dir + "/control.sock";
}

// A socket at its default place moves with runtime_dir, of which a warning speaks already.
bool control_differs(const Settings& next, const Settings& running) {
  ControlSettings control = next.control;
  if (has_default_place(next) && has_default_place(running))
    control.address = running.control.address;
  return control != running.control;
}

}  // namespace

LoadResult keep_fixed(LoadResult next, const Settings& running) {
  if (!next.settings && !next.draft) return next;
  Settings& settings = next.settings ? *next.settings : *next.draft;
  if (settings.runtime_dir != running.runtime_dir) warn(next, settings, "runtime_dir");
  if (control_differs(settings, running)) warn(next, settings, "control");
  const bool same_user = settings.bridge.identity.account == running.bridge.identity.account;
  if (!same_user) warn(next, settings, "bridge.user");
  settings.runtime_dir = running.runtime_dir;
  settings.control = running.control;
  settings.bridge.identity = running.bridge.identity;

  const Account& bridge = running.bridge.identity.account;
  for (const AppSettings& app : settings.apps) {
    const bool own_user = !app.identity.user.empty();
    if (same_user || !own_user || app.identity.account.uid != bridge.uid) continue;
    next.errors.push_back(
        {settings.origins["apps." + app.name + ".user"], "apps." + app.name + ".user",
         "user " + app.identity.user + " is the user of the running bridge, which no app may share",
         app.name});
    next.broken_apps.insert(app.name);
  }
  if (next.errors.empty() || !next.settings) return next;
  next.draft = std::move(next.settings);
  next.settings.reset();
  return next;
}

}  // namespace viaduct::daemon::config
