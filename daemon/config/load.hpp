// Reads, merges and checks the configuration: the one entry point for viaductd.
//
//   LoadResult result = load("/etc/viaduct/viaduct.yaml", Purpose::start);
//   for (const Diagnostic& warning : result.warnings) log(format(warning));
//   if (!result.settings) { for (const Diagnostic& error : result.errors) ...; exit(78); }
//
// Reads files and asks the system about users, commands and limits; changes nothing. Call it from
// one thread, as the user that will run the daemon.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/config/diagnostic.hpp"
#include "daemon/config/settings.hpp"
#include "daemon/config/system.hpp"

namespace viaduct::daemon::config {

inline constexpr std::size_t kMaxApps = 1024;
inline constexpr std::size_t kMaxListeners = 256;

// What the configuration is read for decides how two findings are treated:
//
//                                     check     start     reload
//   a command that cannot be run      error     warning   error      (one broken app never fails
//                                                                     the service)
//   not root, and a differing
//   user, group or owner              warning   error     error
enum class Purpose { check, start, reload };

struct LoadResult {
  std::optional<Settings> settings;  // absent exactly when there are errors
  std::vector<Diagnostic> errors;    // all that were found, files in the order they were read
  std::vector<Diagnostic> warnings;
  // With errors, where the main file could be read: what it and the files that could be read say.
  // Only the sections of apps that are not in `broken_apps` can be relied on.
  std::optional<Settings> draft{};
  std::set<std::string> broken_apps{};  // with an error in their sections
};

LoadResult load(const std::filesystem::path& file, Purpose purpose);

// The same with the system replaced, for tests.
LoadResult load(const std::filesystem::path& file, Purpose purpose, const System& system);

}  // namespace viaduct::daemon::config
