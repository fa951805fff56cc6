// What the checks after reading share.
#pragma once

#include "daemon/config/load.hpp"

namespace viaduct::daemon::config {

struct Checking {
  Settings& settings;
  const System& system;
  Purpose purpose;
  Report& report;

  // Whether the key was written down, rightly or not.
  bool written(const std::string& path) const;

  // Whether the app at that path has servers that others run, and no process of ours.
  bool connects(const std::string& app) const {
    return written(app + ".connect") && !written(app + ".command");
  }

  // Its position, or that of the nearest map or list around it.
  Origin where(std::string path) const;

  void error(const std::string& path, std::string message) const;
  void warning(const std::string& path, std::string message) const;
  // Whether a link of another user leads to the directory, where root makes or opens no file: an
  // error.
  bool is_led_astray(const std::string& path, const std::string& directory) const;
  // A file that cannot be used, with the errno of it: an error. One that is missing is a warning
  // where the configuration is checked only, which may happen on another machine.
  void unusable(const std::string& path, int error, std::string message) const;
};

std::string app_path(const AppSettings& app);  // "apps.shop"
std::string listener_path(std::size_t index);  // "listeners[0]"

// The rules between keys that need nothing but the settings: what is required, what excludes what,
// what may be named once only.
void check_structure(const Checking& check);

// The same for the routes of one listener, written at `path`. Makes `app` and `default` routes.
void check_routes(const Checking& check, ListenerSettings& listener, const std::string& path);

// The rules for what a listener believes about clients, written at `path`. Chooses the default of
// `forwarded`, which depends on the protocol.
void check_forwarded(const Checking& check, ListenerSettings& listener, const std::string& path);

// Looks up users and groups and applies the rules for root and for others.
void resolve_accounts(const Checking& check);

// Looks whether what `isolation` asks for can be had here. What cannot is an error; with
// `optional` a warning, and the key is set back; with Purpose::check, which anybody may use and
// anywhere, a warning always.
void check_isolation(const Checking& check);

// Looks whether crash reports can be written where they are to go.
void check_crash_dirs(const Checking& check);

// Looks whether the directories are there in which sockets and logs are made, and warns of those in
// which others can replace what is made or opened.
void check_directories(const Checking& check);

// Looks whether the kernel gives the bridge all of the sandbox that is required.
void check_sandbox(const Checking& check);

// Looks whether the bridge can make temporary files, and says when they take memory.
void check_spool(const Checking& check);

// Warns when the limits that the settings allow need more descriptors than can be had.
void check_descriptors(const Checking& check);

// Reads env_files, looks for every app's command and says why it cannot be run.
void resolve_commands(const Checking& check);

}  // namespace viaduct::daemon::config
