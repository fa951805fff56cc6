#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "daemon/channel/scoreboard.hpp"
#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::master {

/// Numbers of one app, read from boards. Sums stay at the largest value instead of passing it.
struct AppCounts {
  std::uint64_t requests = 0;
  std::uint64_t failed = 0;
  std::uint64_t aborted = 0;
  std::uint64_t retried = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t errors = 0;
  std::uint64_t canary_requests = 0;
  std::uint64_t canary_errors = 0;
  std::int64_t active = 0;  ///< gauge
  std::int64_t queued = 0;  ///< gauge

  AppCounts& operator+=(const AppCounts& other);
  bool operator==(const AppCounts&) const = default;
};

/// The sum, or the largest value where that is less.
std::uint64_t saturated_sum(std::uint64_t left, std::uint64_t right);
std::int64_t saturated_sum(std::int64_t left, std::int64_t right);

/// The scoreboard of one bridge process, as the master sees it: made and sealed by the master, and
/// mapped for reading. The bridge may be in other hands, so every value is read once, a counter
/// that falls keeps the value that it had, and a gauge is never negative.
class Board {
 public:
  /// Throws std::system_error.
  explicit Board(std::size_t apps);

  /// To be given to the bridge.
  [[nodiscard]] int descriptor() const { return memory_.get(); }

  [[nodiscard]] std::uint64_t progress() { return rise(progress_, scores_->progress); }
  [[nodiscard]] std::uint64_t malformed() { return rise(malformed_, scores_->malformed); }
  [[nodiscard]] std::uint64_t contradictory() {
    return rise(contradictory_, scores_->contradictory);
  }
  [[nodiscard]] std::uint64_t odd_fields() { return rise(odd_fields_, scores_->odd_fields); }
  [[nodiscard]] std::int64_t connections() const;
  [[nodiscard]] SandboxState sandbox() const;  ///< as the bridge says
  /// `index`: of the app in the bridge's settings.
  [[nodiscard]] AppCounts app(std::size_t index);

 private:
  struct Unmap {
    void operator()(const Scoreboard* scores) const noexcept;
  };

  static std::uint64_t rise(std::uint64_t& seen, const std::atomic<std::uint64_t>& counter);

  UniqueFd memory_;
  std::unique_ptr<const Scoreboard, Unmap> scores_;
  std::uint64_t progress_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t contradictory_ = 0;
  std::uint64_t odd_fields_ = 0;
  std::vector<AppCounts> apps_;  // as last read
};

}  // namespace viaduct::daemon::master
