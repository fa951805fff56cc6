#include "daemon/master/bridge_files.hpp"

namespace viaduct::daemon::master {

std::vector<BridgeLogFile> bridge_log_files(const config::Settings& settings) {
  using Kind = config::LogTarget::Kind;
  std::vector<BridgeLogFile> files;
  const auto add = [&](channel::LogTarget target, std::size_t app, const config::LogTarget& to) {
    if (to.kind == Kind::file) files.push_back({target, static_cast<std::uint32_t>(app), to.path});
  };
  add(channel::LogTarget::log, 0, settings.log.to);
  add(channel::LogTarget::access, 0, settings.access_log.to);
  for (std::size_t i = 0; i < settings.apps.size(); ++i) {
    const config::AppSettings& app = settings.apps[i];
    add(channel::LogTarget::app, i, app.log);
    if (!app.slow_log.empty()) {
      files.push_back({channel::LogTarget::slow, static_cast<std::uint32_t>(i), app.slow_log});
    }
  }
  return files;
}

}  // namespace viaduct::daemon::master
