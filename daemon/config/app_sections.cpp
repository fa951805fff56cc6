#include "daemon/config/app_sections.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace viaduct::daemon::config {
namespace {

// A listener leads to apps and is not part of their sections.
bool may_concern(const Diagnostic& error, const std::string& app) {
  if (!error.app.empty()) return error.app == app;
  return !error.path.starts_with("listeners[");
}

const Settings* read_in(const LoadResult& next) {
  if (next.settings) return &*next.settings;
  return next.draft ? &*next.draft : nullptr;
}

}  // namespace

void put_app(Settings& target, const Settings& source, const std::string& app) {
  const auto is_of_app = [&app](const Origins::value_type& entry) {
    return app_of_path(entry.first) == app;
  };
  std::erase_if(target.origins, is_of_app);
  for (const auto& entry : source.origins) {
    if (is_of_app(entry)) target.origins.insert(entry);
  }
  const AppSettings& section = *find_app(source, app);
  const auto old = std::find_if(target.apps.begin(), target.apps.end(),
                                [&app](const AppSettings& other) { return other.name == app; });
  if (old == target.apps.end()) {
    target.apps.push_back(section);
  } else {
    *old = section;
  }
}

LoadResult only_app(LoadResult next, const Settings& running, const std::string& app) {
  // An error in `defaults` is reported for one of the apps that have it.
  const bool shared = next.broken_apps.contains(app) &&
                      std::none_of(next.errors.begin(), next.errors.end(),
                                   [&app](const Diagnostic& error) { return error.app == app; });
  LoadResult result;
  for (Diagnostic& error : next.errors) {
    if (shared || may_concern(error, app)) {
      result.errors.push_back(std::move(error));
    } else {
      error.message += " (not applied by this reload)";
      result.warnings.push_back(std::move(error));
    }
  }
  for (Diagnostic& warning : next.warnings) {
    if (warning.app == app) result.warnings.push_back(std::move(warning));
  }
  if (next.broken_apps.contains(app)) result.broken_apps.insert(app);
  const Settings* const read = read_in(next);
  if (read == nullptr || !result.errors.empty()) return result;
  if (find_app(*read, app) != nullptr) {
    result.settings = running;
    put_app(*result.settings, *read, app);
  } else if (find_app(running, app) != nullptr) {
    result.errors.push_back(
        {{}, "apps." + app, "not in the file; a reload of all removes it", app});
  } else {
    result.errors.push_back({{}, "apps." + app, "neither in force nor in the file", app});
  }
  return result;
}

Mended keep_broken_apps(LoadResult next, const Settings& running) {
  const bool mendable =
      next.draft.has_value() &&
      std::all_of(next.errors.begin(), next.errors.end(), [&](const Diagnostic& error) {
        return !error.app.empty() && find_app(running, error.app) != nullptr;
      });
  const bool known =
      std::all_of(next.broken_apps.begin(), next.broken_apps.end(),
                  [&](const auto& app) { return find_app(running, app) != nullptr; });
  if (!mendable || !known) return {std::move(next), {}};
  std::vector<BrokenApp> broken;
  for (const std::string& app : next.broken_apps) {
    put_app(*next.draft, running, app);
    broken.push_back({app, {}});
    std::copy_if(next.errors.begin(), next.errors.end(), std::back_inserter(broken.back().errors),
                 [&app](const Diagnostic& error) { return error.app == app; });
  }
  LoadResult result;
  result.settings = std::move(next.draft);
  result.warnings = std::move(next.warnings);
  return {std::move(result), std::move(broken)};
}

}  // namespace viaduct::daemon::config
