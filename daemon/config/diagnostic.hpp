// One finding about the configuration, and the list in which they are collected.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/config/origin.hpp"

namespace viaduct::daemon::config {

struct Diagnostic {
  Origin where;         // nowhere when the finding is about the system
  std::string path;     // of the key: "apps.shop.workers"; may be empty
  std::string message;  // what was found and what was expected
  std::string app{};    // in whose section it is; "": in none
};

// The app in whose section a key stands: "shop" for "apps.shop.workers"; "" for other keys.
std::string app_of_path(std::string_view path);

// "/etc/viaduct/viaduct.yaml:7:5: apps.shop.worker: unknown key; did you mean \"workers\"?"
// Parts that are absent are left out together with their colon.
std::string format(const Diagnostic& diagnostic);

// Collects errors and warnings. A finding about the same position with the same message is kept
// once: a value under `defaults` is read again for every app that takes it over.
class Report {
 public:
  // `app`: where `path`, not being that of a key, does not name the section.
  void error(const Origin& where, std::string path, std::string message, std::string app = {});
  void warning(const Origin& where, std::string path, std::string message, std::string app = {});

  const std::vector<Diagnostic>& errors() const { return errors_; }
  const std::vector<Diagnostic>& warnings() const { return warnings_; }
  // Every app with an error in its section, also one that is kept for another app only.
  const std::set<std::string>& broken_apps() const { return broken_apps_; }

 private:
  bool is_new(const Origin& where, const std::string& message);

  std::set<std::pair<std::string, std::string>> seen_;
  std::vector<Diagnostic> errors_;
  std::vector<Diagnostic> warnings_;
  std::set<std::string> broken_apps_;
};

}  // namespace viaduct::daemon::config
