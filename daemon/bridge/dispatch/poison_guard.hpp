#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/request_settings.hpp"

namespace viaduct::daemon::bridge {

/// Requests of one route that were at a worker when it died.
struct Suspect {
  std::string route;  ///< see route_pattern()
  std::uint32_t requests = 0;
};

/// Finds the route whose requests make workers die, so that it can be closed for a while before it
/// takes the whole pool down. One per app. A pure object: deaths and time in, decisions out.
///
/// A death is shared out evenly among the routes that were at the worker. Who was there by chance
/// is told from the culprit in three ways: a request that another worker answered on its retry
/// takes its route out of the death; a route closes when it has been in `deaths` deaths and its
/// shares add up to half of that, which one that is there only now and then reaches later; and of
/// those that would close only one does, with the largest sum, and of equals the rarer one, since a
/// popular route is at every worker anyway. The deaths that it was in then count against nobody
/// else.
///
///     open --shares reach deaths/2--> closed for `closed` --> on probation for `within` --> open
///                                          ^                      |
///                                          '-- twice as long, ----' one death of which it has half
///                                              5 minutes at most
class PoisonGuard {
 public:
  using Clock = std::chrono::steady_clock;

  explicit PoisonGuard(const config::Poison& settings) : settings_(settings) {}

  struct Closing {
    std::string route;
    Clock::duration duration;
    std::uint32_t deaths = 0;  ///< that it was in, within the time that counts
  };

  /// A worker died with these requests; may be told in parts.
  void died(std::uint64_t worker, const std::vector<Suspect>& suspects, Clock::time_point now);
  /// All parts of that have been told: the route that closes because of it, if any.
  std::optional<Closing> judge(std::uint64_t worker, Clock::time_point now);
  /// A request of that route was at the worker, too, and has been answered by another one.
  void clear(std::uint64_t worker, std::string_view route);
  /// The routes that open again by now.
  std::vector<std::string> reopen(Clock::time_point now);

  static constexpr std::size_t kMaxDeaths = 128;
  static constexpr std::size_t kMaxSuspects = 32;  ///< of one death
  static constexpr std::size_t kMaxRoutes = 1024;  ///< closed or on probation

 private:
  struct Death {
    std::uint64_t worker;
    Clock::time_point when;
    std::vector<Suspect> suspects;
    std::size_t others = 0;  // suspects beyond kMaxSuspects
  };
  struct Route {
    std::string name;
    bool closed;
    Clock::time_point until;  // of that, or of the probation
    Clock::duration duration;
  };
  struct Blame {
    std::uint32_t deaths = 0;
    double share = 0;
    std::uint64_t requests = 0;
  };

  [[nodiscard]] bool off() const;
  Death& death_of(std::uint64_t worker, Clock::time_point now);
  void forget(Clock::time_point now);
  [[nodiscard]] Blame blame(std::string_view route) const;
  [[nodiscard]] bool guilty(std::string_view route, const Blame& blame) const;
  Closing close(std::string route, std::uint32_t deaths, Clock::time_point now);
  [[nodiscard]] const Route* find(std::string_view name) const;

  config::Poison settings_;
  std::deque<Death> deaths_;
  std::vector<Route> routes_;
};

}  // namespace viaduct::daemon::bridge
