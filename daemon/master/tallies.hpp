#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "daemon/master/board.hpp"

namespace viaduct::daemon::master {

/// Numbers of an app that bridges counted which have ended.
struct AppTally {
  AppCounts past;  ///< without gauges
};

/// An app keeps its numbers from one bridge and one generation to the next, wherever it stands in
/// the configuration, until the last holder of its tally lets go. Single-threaded.
class Tallies {
 public:
  /// The app's tally, or a new one.
  std::shared_ptr<AppTally> take(const std::string& app);

  /// Front connections closed for bad bytes by bridges that have ended.
  std::uint64_t malformed = 0;
  /// Requests of which some X-Forwarded-* fit no other, likewise.
  std::uint64_t contradictory = 0;
  std::uint64_t odd_fields = 0;

 private:
  std::map<std::string, std::weak_ptr<AppTally>> apps_;
};

}  // namespace viaduct::daemon::master
