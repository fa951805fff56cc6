// What an order to reload or restart is to put in force.
#include <utility>

#include "daemon/config/app_sections.hpp"
#include "daemon/config/executable.hpp"
#include "daemon/config/keep_fixed.hpp"
#include "daemon/config/load.hpp"
#include "daemon/master/master.hpp"

namespace viaduct::daemon::master {

// What is to be in force, or nothing: then the reload has failed.
std::optional<config::Settings> Master::read_configuration() {
  const config::Settings& running = current_->settings();
  logs_.daemon().info("reload", {{"file", running.file}});
  config::LoadResult result = select_sections(
      config::keep_fixed(config::load(running.file, config::Purpose::reload), running));
  for (const auto& warning : result.warnings) {
    reload_outcome_.warnings.push_back(format(warning));
    logs_.daemon().warning(reload_outcome_.warnings.back());
  }
  for (const auto& error : result.errors) {
    reload_outcome_.kind = control::Outcome::Kind::invalid;
    reload_outcome_.errors.push_back(format(error));
    logs_.daemon().error(reload_outcome_.errors.back());
  }
  if (!result.settings) {
    reload_failed("the configuration has errors");
    return std::nullopt;
  }
  return std::move(result.settings);
}

// Of a restart, likewise.
std::optional<config::Settings> Master::keep_configuration() {
  const config::Settings& running = current_->settings();
  const std::string& name = this_reload_.order.app;
  logs_.daemon().info("restart", {{"app", name}});
  const config::AppSettings* const app = config::find_app(running, name);
  if (app == nullptr) {
    reload_failed("there is no app \"" + name + "\" any more");
    return std::nullopt;
  }
  if (config::program_is_replaced(*app, config::real_system())) {
    reload_outcome_.warnings.push_back(name + ": " + app->executable +
                                       " has been replaced since the configuration was read; "
                                       "viaduct reload " +
                                       name + " puts it in force");
    logs_.daemon().warning(reload_outcome_.warnings.back());
  }
  return running;
}

config::LoadResult Master::select_sections(config::LoadResult read) {
  const config::Settings& running = current_->settings();
  switch (this_reload_.order.kind) {
    case ReloadOrder::Kind::app:
      return config::only_app(std::move(read), running, this_reload_.order.app);
    case ReloadOrder::Kind::keep_going: {
      config::Mended mended = config::keep_broken_apps(std::move(read), running);
      for (const config::BrokenApp& broken : mended.broken) {
        const std::string why = broken.errors.empty()
                                    ? broken.app + ": its section has the error of another app's"
                                    : format(broken.errors.front());
        failures_.push_back({broken.app, why});
      }
      return std::move(mended.result);
    }
    case ReloadOrder::Kind::whole:
    case ReloadOrder::Kind::restart:
      break;
  }
  return read;
}

}  // namespace viaduct::daemon::master
