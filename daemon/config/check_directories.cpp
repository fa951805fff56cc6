#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "daemon/config/checking.hpp"
#include "daemon/config/directory_trust.hpp"
#include "daemon/config/text_file.hpp"

namespace viaduct::daemon::config {
namespace {

std::string directory_of(const std::string& file) {
  return std::filesystem::path(file).lexically_normal().parent_path();
}

// Warnings about that directory name the key runtime_dir.
bool is_runtime_dir(const Checking& check, const std::string& directory) {
  return directory == directory_of(check.settings.runtime_dir + "/.");
}

// The directory of `file`, which viaductd does not make: only runtime_dir itself.
void check_exists(const Checking& check, const std::string& path, const std::string& what,
                  const std::string& file) {
  const std::string directory = directory_of(file);
  if (is_runtime_dir(check, directory)) return;
  FileStatus status = check.system.status(directory);
  if (status.error == 0 && !S_ISDIR(status.mode)) status.error = ENOTDIR;
  // What a directory above it forbids shows when the file is opened.
  if (status.error != ENOENT && status.error != ENOTDIR) return;
  check.unusable(path, status.error,
                 "the directory of " + what + ", " + directory + ": " +
                     describe_errno(status.error) + "; viaductd does not make it");
}

/// Warns once of each directory in which somebody else can exchange files, however many keys name
/// it.
class Replacers {
 public:
  // `what`, which the key at that path names, is made there or exists.
  void note(const Checking& check, const std::string& path, const std::string& what,
            const std::string& file, const Trusted& trusted = {}) {
    const std::string directory = std::filesystem::path(file).parent_path();
    const Replacer found = who_can_replace_files(check.system, directory, trusted);
    if (found.who.empty()) return;
    for (Noted& known : noted_) {
      if (known.replacer.why == found.why) return known.others.push_back(path);
    }
    noted_.push_back({found, path, what, {}});
  }

  void report(const Checking& check) const {
    for (const Noted& noted : noted_) {
      std::string text = noted.replacer.who + " can put something else in the place of " +
                         noted.what + ": " + noted.replacer.why;
      const char* separator = "; so it is with ";
      for (const std::string& other : noted.others) {
        text += std::exchange(separator, ", ") + other;
      }
      check.warning(noted.path, text);
    }
  }

 private:
  struct Noted {
    Replacer replacer;
    std::string path;
    std::string what;
    std::vector<std::string> others;
  };
  std::vector<Noted> noted_;
};

// The user of the app may do what he likes with what the app says.
Trusted trusted_by(const AppSettings& app) {
  return {{app.identity.account.uid}, {}};
}

// Whoever owns the socket, may be let in by its group, or is behind it alone.
Trusted trusted_by(const Settings& settings, const ListenerSettings& listener) {
  Trusted trusted;
  if (listener.uid) trusted.users.push_back(*listener.uid);
  if (listener.gid) trusted.groups.push_back(*listener.gid);
  std::set<uid_t> behind;
  for (const RouteSettings& route : listener.routes) {
    const AppSettings* app = find_app(settings, route.app);
    if (app == nullptr || app->command.empty()) return trusted;
    behind.insert(app->identity.account.uid);
  }
  if (behind.size() == 1) trusted.users.push_back(*behind.begin());
  return trusted;
}

void check_socket(const Checking& check, Replacers& replacers, const std::string& path,
                  const Address& address, const Trusted& trusted) {
  if (address.kind != Address::Kind::unix_path) return;
  check_exists(check, path, "the socket", address.name);
  const std::string directory = directory_of(address.name);
  if (!is_runtime_dir(check, directory) && check.is_led_astray(path, directory)) return;
  replacers.note(check, path, "the socket", address.name, trusted);
}

// A log must be a file that can be written without waiting for anybody. Names of our own
// descriptors need no look.
void check_kind(const Checking& check, const std::string& path, const std::string& file) {
  if (file == "/dev/stdout" || file == "/dev/stderr" || file.starts_with("/dev/fd/")) return;
  const FileStatus status = check.system.status(file);
  if (status.error != 0 || S_ISREG(status.mode) || S_ISCHR(status.mode)) return;
  check.error(
      path, file + ": " +
                (S_ISDIR(status.mode) ? describe_errno(EISDIR) : "not a file or character device"));
}

void check_log(const Checking& check, Replacers& replacers, const std::string& path,
               const LogTarget& target, const Trusted& trusted = {}) {
  if (target.kind != LogTarget::Kind::file) return;
  check_exists(check, path, "the log", target.path);
  if (check.is_led_astray(path, directory_of(target.path))) return;
  check_kind(check, path, target.path);
  replacers.note(check, path, "the log", target.path, trusted);
}

// Reports what RuntimeDirectory refuses when root starts.
void check_runtime_dir_of_root(const Checking& check, const std::string& directory,
                               const FileStatus& status) {
  if (check.is_led_astray("runtime_dir", directory)) return;
  const std::string problem = runtime_dir_problem(status.uid, status.mode);
  if (!problem.empty()) check.error("runtime_dir", directory + " " + problem);
}

// Only its last part is made.
void check_runtime_dir(const Checking& check, Replacers& replacers) {
  const std::string& directory = check.settings.runtime_dir;
  const FileStatus status = check.system.status(directory);
  if (status.error != 0) check_exists(check, "runtime_dir", "runtime_dir", directory);
  const bool root = check.system.effective_user() == 0;
  if (root && status.error == 0) check_runtime_dir_of_root(check, directory, status);
  if (status.error == ENOENT) check.is_led_astray("runtime_dir", directory_of(directory + "/.."));
  replacers.note(check, "runtime_dir", "the sockets of workers",
                 root ? directory_of(directory + "/.") : directory + "/.");
}

}  // namespace

bool Checking::is_led_astray(const std::string& path, const std::string& directory) const {
  if (system.effective_user() != 0 || system.place_error(directory) != EPERM) return false;
  error(path, directory + ", which a link of another user leads to");
  return true;
}

void check_directories(const Checking& check) {
  const Settings& settings = check.settings;
  Replacers replacers;
  for (std::size_t index = 0; index < settings.listeners.size(); ++index) {
    check_socket(check, replacers, listener_path(index) + ".address",
                 settings.listeners[index].address,
                 trusted_by(settings, settings.listeners[index]));
  }
  Trusted of_control;
  if (settings.control.gid) of_control.groups.push_back(*settings.control.gid);
  check_socket(check, replacers, "control.address", settings.control.address, of_control);
  check_log(check, replacers, "log.to", settings.log.to);
  check_log(check, replacers, "access_log.to", settings.access_log.to);
  if (!settings.runtime_dir.empty()) check_runtime_dir(check, replacers);
  for (const AppSettings& app : settings.apps) {
    check_log(check, replacers, app_path(app) + ".log.to", app.log, trusted_by(app));
    if (!app.slow_log.empty()) {
      check_log(check, replacers, app_path(app) + ".slow_log",
                {LogTarget::Kind::file, app.slow_log}, trusted_by(app));
    }
    if (!app.crash_dir.empty()) {
      replacers.note(check, app_path(app) + ".crash_dir", "the directory", app.crash_dir,
                     trusted_by(app));
    }
  }
  replacers.report(check);
}

}  // namespace viaduct::daemon::config
