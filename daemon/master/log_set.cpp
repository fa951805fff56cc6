#include "daemon/master/log_set.hpp"

#include <exception>
#include <utility>

#include "daemon/master/start_error.hpp"

namespace viaduct::daemon::master {

namespace {

log::Level to_level(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug:
      return log::Level::debug;
    case config::LogLevel::info:
      return log::Level::info;
    case config::LogLevel::warn:
      return log::Level::warning;
    case config::LogLevel::error:
      return log::Level::error;
  }
  return log::Level::info;
}

// `key` names the target.
std::unique_ptr<log::Log> make(const config::Settings& settings, const config::LogTarget& to,
                               const std::string& key) {
  try {
    return std::make_unique<log::Log>(to_log_settings(settings.log, to));
  } catch (const std::exception& error) {
    throw error_of_key(settings, key, error);
  }
}

}  // namespace

log::Settings to_log_settings(const config::LogSettings& settings, const config::LogTarget& to) {
  using Kind = config::LogTarget::Kind;
  log::Settings result;
  result.level = to_level(settings.level);
  result.format =
      settings.format == config::LogFormat::json ? log::Format::json : log::Format::text;
  if (to.kind == Kind::journal) result.sink = log::Sink::journal;
  if (to.kind == Kind::syslog) result.sink = log::Sink::syslog;
  if (to.kind == Kind::file) result.descriptor = log::open_file(to.path);
  return result;
}

LogSet::LogSet() : daemon_(std::make_unique<log::Log>(log::Settings{})) {}

void LogSet::configure(const config::Settings& settings) {
  auto daemon = make(settings, settings.log.to, "log.to");
  std::map<std::string, std::unique_ptr<log::Log>> apps;
  for (const config::AppSettings& app : settings.apps) {
    if (app.log.kind == config::LogTarget::Kind::inherit) continue;
    apps.emplace(app.name, make(settings, app.log, "apps." + app.name + ".log.to"));
  }
  daemon_ = std::move(daemon);
  apps_ = std::move(apps);
}

const log::Log& LogSet::app(const std::string& name) const {
  const auto found = apps_.find(name);
  return found == apps_.end() ? *daemon_ : *found->second;
}

}  // namespace viaduct::daemon::master
