#include "daemon/config/settings.hpp"

#include <algorithm>

namespace viaduct::daemon::config {

const AppSettings* find_app(const Settings& settings, std::string_view name) {
  const auto found = std::find_if(settings.apps.begin(), settings.apps.end(),
                                  [&](const AppSettings& app) { return app.name == name; });
  return found == settings.apps.end() ? nullptr : &*found;
}

}  // namespace viaduct::daemon::config
