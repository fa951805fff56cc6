#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/bridge/dispatch/poison_guard.hpp"
#include "daemon/channel/lost_requests.hpp"

namespace viaduct::daemon::bridge {

/// What one thread lost at workers of which it is not known yet whether they have died: a link's
/// end comes before the master's word. Bounded, and forgotten after a few seconds, because a link
/// can end although its worker lives on.
class LossRecord {
 public:
  using Clock = std::chrono::steady_clock;

  struct Loss {
    std::vector<Suspect> suspects;
    channel::LostRequests requests;
  };

  /// `request`: what the crash report is to say of it.
  void add(std::uint64_t worker, std::string_view route, std::string_view request,
           Clock::time_point now);
  /// A request has been answered by another worker after all: its route is no suspect any more.
  /// False when nothing is known of it.
  bool clear(std::uint64_t worker, std::string_view route);
  /// The worker has ended; what it had.
  Loss take(std::uint64_t worker, Clock::time_point now);

  static constexpr std::size_t kMaxWorkers = 64;
  static constexpr std::size_t kMaxRoutes = PoisonGuard::kMaxSuspects + 1;  ///< of one worker
  static constexpr std::chrono::seconds kLasting{10};

 private:
  struct Entry {
    Clock::time_point when;
    Loss loss;
  };

  void forget(Clock::time_point now);

  std::map<std::uint64_t, Entry> workers_;
};

}  // namespace viaduct::daemon::bridge
