#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "daemon/config/checking.hpp"
#include "daemon/config/text_file.hpp"

namespace viaduct::daemon::config {
namespace {

std::string directory_of(const std::string& file) {
  return std::filesystem::path(file).lexically_normal().parent_path();
}

// The directory of `file`, which viaductd does not make: only runtime_dir itself.
void check_exists(const Checking& check, const std::string& path, const std::string& what,
                  const std::string& file) {
  const std::string directory = directory_of(file);
  if (directory == directory_of(check.settings.runtime_dir + "/.")) return;
  FileStatus status = check.system.status(directory);
  if (status.error == 0 && !S_ISDIR(status.mode)) status.error = ENOTDIR;
  // What a directory above it forbids shows when the file is opened.
  if (status.error != ENOENT && status.error != ENOTDIR) return;
  check.unusable(path, status.error,
                 "the directory of " + what + ", " + directory + ": " +
                     describe_errno(status.error) + "; viaductd does not make it");
}

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
    check_exists(check, path, "the socket", address.name);
    check_parent(check, path, "the socket", address.name);
  }
}

void check_log(const Checking& check, const std::string& path, const LogTarget& target) {
  if (target.kind != LogTarget::Kind::file) return;
  check_exists(check, path, "the log", target.path);
  check_parent(check, path, "the log", target.path);
}

// Only its last part is made.
void check_runtime_dir(const Checking& check) {
  const std::string& directory = check.settings.runtime_dir;
  if (check.system.status(directory).error != 0) {
    check_exists(check, "runtime_dir", "runtime_dir", directory);
  }
  // Root refuses such a runtime_dir when it starts.
  if (check.system.effective_user() == 0) return;
  check_parent(check, "runtime_dir", "the sockets of workers", directory + "/.");
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
  if (!settings.runtime_dir.empty()) check_runtime_dir(check);
  for (const AppSettings& app : settings.apps) {
    check_log(check, app_path(app) + ".log.to", app.log);
    if (!app.slow_log.empty()) {
      check_log(check, app_path(app) + ".slow_log", {LogTarget::Kind::file, app.slow_log});
    }
    if (!app.crash_dir.empty()) {
      check_parent(check, app_path(app) + ".crash_dir", "the directory", app.crash_dir);
    }
  }
}

}  // namespace viaduct::daemon::config
