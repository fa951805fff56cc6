// Which sections of a configuration that was read anew come into force, where not all do.
#pragma once

#include <string>
#include <vector>

#include "daemon/config/load.hpp"

namespace viaduct::daemon::config {

// Gives `target` the section that `source` has of that app, with the origins of its values. An app
// that `target` does not have becomes the last one. `source` has to have it.
void put_app(Settings& target, const Settings& source, const std::string& app);

// The running configuration with the section of that app as `next` has it; without one, an error.
// Errors elsewhere that cannot concern the section become warnings; the others stay errors.
LoadResult only_app(LoadResult next, const Settings& running, const std::string& app);

// An app whose section has errors.
struct BrokenApp {
  std::string app;
  std::vector<Diagnostic> errors;  // may be empty: another app has the same one
};

struct Mended {
  LoadResult result;
  std::vector<BrokenApp> broken;  // apps that keep their sections of the running configuration
};

// `next`, where apps with errors in their sections have those of the running configuration. An
// error that is in no section, or in that of an app that does not run yet, stays an error.
Mended keep_broken_apps(LoadResult next, const Settings& running);

}  // namespace viaduct::daemon::config
