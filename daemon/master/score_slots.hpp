#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/channel/scoreboard.hpp"

namespace viaduct::daemon::master {

/// Where in the scoreboard an app is counted. The place is free again when its last holder, of any
/// generation, lets go.
struct ScoreSlot {
  std::string app;
  std::uint32_t index = 0;  ///< in Scoreboard::apps
};

/// Gives every app a place by its name: an app keeps its counters from one generation to the next,
/// wherever it stands in the configuration. Single-threaded.
class ScoreSlots {
 public:
  /// `scores` is borrowed and outlives it.
  explicit ScoreSlots(Scoreboard& scores) : scores_(scores), slots_(scores.apps.size()) {}

  /// The app's place, or a free one with all its counters at zero. Throws std::runtime_error when
  /// none is free.
  std::shared_ptr<const ScoreSlot> take(const std::string& app);

  /// Zeroes what counts things that exist now, of all apps: nobody counts any more.
  void reset_gauges() noexcept;

 private:
  Scoreboard& scores_;
  std::vector<std::weak_ptr<const ScoreSlot>> slots_;  // by index
};

}  // namespace viaduct::daemon::master
