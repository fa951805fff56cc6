// One finding about the configuration, and the list in which they are collected.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/config/origin.hpp"

namespace viaduct::daemon::config {

struct Diagnostic {
  Origin where;         // nowhere when the finding is about the system
  std::string path;     // of the key: "apps.shop.workers"; may be empty
  std::string message;  // what was found and what was expected
};

// "/etc/viaduct/viaduct.yaml:7:5: apps.shop.worker: unknown key; did you mean \"workers\"?"
// Parts that are absent are left out together with their colon.
std::string format(const Diagnostic& diagnostic);

// Collects errors and warnings. A finding about the same position with the same message is kept
// once: a value under `defaults` is read again for every app that takes it over.
class Report {
 public:
  void error(const Origin& where, std::string path, std::string message);
  void warning(const Origin& where, std::string path, std::string message);

  const std::vector<Diagnostic>& errors() const { return errors_; }
  const std::vector<Diagnostic>& warnings() const { return warnings_; }

 private:
  bool is_new(const Origin& where, const std::string& message);

  std::set<std::pair<std::string, std::string>> seen_;
  std::vector<Diagnostic> errors_;
  std::vector<Diagnostic> warnings_;
};

}  // namespace viaduct::daemon::config
