#include <filesystem>

#include "daemon/config/checking.hpp"

namespace viaduct::daemon::config {
namespace {

// `what` is made there, or exists, at that path.
void check_parent(const Checking& check, const std::string& path, const std::string& what,
                  const std::string& file) {
  const std::string directory = std::filesystem::path(file).parent_path();
  if (!check.system.others_can_replace_files(directory)) return;
  check.warning(path, "everybody can put something else in the place of " + what + ": " +
                          directory + " is writable by all and not sticky");
}

void check_socket(const Checking& check, const std::string& path, const Address& address) {
  if (address.kind == Address::Kind::unix_path) {
    check_parent(check, path, "the socket", address.name);
  }
}

void check_log(const Checking& check, const std::string& path, const LogTarget& target) {
  if (target.kind == LogTarget::Kind::file) check_parent(check, path, "the log", target.path);
}

}  // namespace

void check_directories(const Checking& check) {
  const Settings& settings = check.settings;
  for (std::size_t index = 0; index < settings.listeners.size(); ++index) {
    check_socket(check, listener_path(index) + ".address", settings.listeners[index].address);
  }
  check_socket(check, "control.address", settings.control.address);
  check_log(check, "log.to", settings.log.to);
  check_log(check, "access_log.to", settings.access_log.to);
  // Root refuses such a runtime_dir when it starts.
  if (check.system.effective_user() != 0) {
    check_parent(check, "runtime_dir", "the sockets of workers", settings.runtime_dir + "/.");
  }
  for (const AppSettings& app : settings.apps) {
    check_log(check, app_path(app) + ".log.to", app.log);
    if (!app.slow_log.empty()) {
      check_parent(check, app_path(app) + ".slow_log", "the log", app.slow_log);
    }
    if (!app.crash_dir.empty()) {
      check_parent(check, app_path(app) + ".crash_dir", "the directory", app.crash_dir);
    }
  }
}

}  // namespace viaduct::daemon::config
