// Differences that a reload makes beside the workers, read off the values that --dump prints.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/config/settings.hpp"

namespace viaduct::daemon::config {

// Keys that differ, sorted: of each part of the configuration those right below it.
using ChangedKeys = std::map<std::string, std::vector<std::string>>;

struct Changes {
  ChangedKeys global{};     // "log" -> "level"; a key without others below it -> nothing
  ChangedKeys apps{};       // by name, of apps that both have
  ChangedKeys listeners{};  // by address, likewise
  std::vector<std::string> added_listeners{};
  std::vector<std::string> removed_listeners{};
};

// Values of `env` and `env_file` are not compared: see worker_changes().
Changes changes(const Settings& before, const Settings& after);

}  // namespace viaduct::daemon::config
