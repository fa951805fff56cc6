#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "daemon/config/request_settings.hpp"

namespace viaduct::daemon::bridge {

/// Whether a server that others run is to get requests, as all threads of the bridge find out
/// together: by requests that fail, and by attempts to connect that are made for this alone
/// (config::Health). Lock-free; any thread may call anything, but `pass` and `recover`, which are
/// for the one that makes these attempts.
///
///     up --fail failures in a row--> down --some time, and pass attempts--> up, with a growing
///     share
///
/// A server that is the last one up does not go down because of requests that it failed, however
/// many; when nobody can connect to it, it does, and the first answer brings it back.
///
/// It stays down for a second the first time, and twice as long when it fails again before it has
/// had its whole share, 30 seconds at most. One failure is enough then. Without attempts to connect
/// only time brings it back.
class ServerHealth {
 public:
  using Clock = std::chrono::steady_clock;

  explicit ServerHealth(const config::Health& policy) : policy_(policy) {}

  enum class Failure : std::uint8_t {
    unreachable,  ///< an attempt to connect failed
    request,      ///< it took a request and did not answer it
  };
  /// `last`: no other server of its app is up. Whether it is down since this very failure.
  bool fail(Failure failure, bool last, Clock::time_point now);
  /// It has answered a request.
  void answer() {
    if (failures_.load(std::memory_order_relaxed) != 0) {
      failures_.store(0, std::memory_order_relaxed);
    }
  }
  /// It has answered a request that it was given while it was down. Whether it is up again since.
  bool revive(Clock::time_point now);
  /// An attempt to connect went well.
  void pass() {
    if (!up()) passes_.fetch_add(1, std::memory_order_relaxed);
  }
  /// Whether it is up again since now, after having been down. To be asked regularly.
  bool recover(Clock::time_point now);

  [[nodiscard]] bool up() const { return state_.load(std::memory_order_relaxed) == State::up; }
  /// In thousandths: how much of what it takes at once it is to get, 1000 unless it has just come
  /// up.
  [[nodiscard]] std::uint32_t share(Clock::time_point now) const;

  static constexpr std::chrono::milliseconds kFirstTimeDown{1'000};
  static constexpr std::chrono::milliseconds kLongestTimeDown{30'000};
  static constexpr std::chrono::milliseconds kSlowStart{10'000};
  static constexpr std::uint32_t kWhole = 1000;
  static constexpr std::uint32_t kLeast = 100;  ///< the share it begins with

 private:
  /// `falling` lasts while the thread that found the server down notes until when.
  enum class State : std::uint8_t { up, falling, down };

  [[nodiscard]] std::chrono::milliseconds time_down() const;
  bool come_up(Clock::time_point now);

  config::Health policy_;
  std::atomic<State> state_{State::up};
  std::atomic<std::uint32_t> failures_{0};    // in a row
  std::atomic<std::uint32_t> passes_{0};      // since it is down, in a row
  std::atomic<std::uint32_t> times_down_{0};  // without having had its whole share in between
  std::atomic<Clock::rep> until_{0};          // at least, it stays down
  std::atomic<Clock::rep> up_since_{0};       // after having been down; 0: from the beginning
};

}  // namespace viaduct::daemon::bridge
