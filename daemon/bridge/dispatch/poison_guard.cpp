#include "daemon/bridge/dispatch/poison_guard.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::daemon::bridge {

namespace {

constexpr std::chrono::minutes kLongestClosed(5);

template <class Suspects>
auto find_suspect(Suspects& suspects, std::string_view route) {
  return std::find_if(suspects.begin(), suspects.end(),
                      [route](const Suspect& suspect) { return suspect.route == route; });
}

}  // namespace

bool PoisonGuard::off() const {
  return settings_.deaths == 0 || settings_.within.count() == 0 || settings_.closed.count() == 0;
}

void PoisonGuard::died(std::uint64_t worker, const std::vector<Suspect>& suspects,
                       Clock::time_point now) {
  if (off() || suspects.empty()) return;
  Death& death = death_of(worker, now);
  for (const Suspect& suspect : suspects) {
    const auto known = find_suspect(death.suspects, suspect.route);
    if (known != death.suspects.end()) {
      known->requests += suspect.requests;
    } else if (death.suspects.size() < kMaxSuspects) {
      death.suspects.push_back(suspect);
    } else {
      ++death.others;
    }
  }
}

std::optional<PoisonGuard::Closing> PoisonGuard::judge(std::uint64_t worker,
                                                       Clock::time_point now) {
  forget(now);
  const auto death = std::find_if(deaths_.begin(), deaths_.end(),
                                  [worker](const Death& d) { return d.worker == worker; });
  if (death == deaths_.end()) return std::nullopt;
  const Suspect* culprit = nullptr;
  Blame most;
  for (const Suspect& suspect : death->suspects) {
    const Blame its = blame(suspect.route);
    if (!guilty(suspect.route, its)) continue;
    const bool more =
        its.share > most.share || (its.share == most.share && its.requests < most.requests);
    if (culprit != nullptr && !more) continue;
    culprit = &suspect;
    most = its;
  }
  if (culprit == nullptr) return std::nullopt;
  return close(culprit->route, most.deaths, now);
}

void PoisonGuard::clear(std::uint64_t worker, std::string_view route) {
  for (Death& death : deaths_) {
    if (death.worker != worker) continue;
    const auto found = find_suspect(death.suspects, route);
    if (found != death.suspects.end()) death.suspects.erase(found);
  }
}

std::vector<std::string> PoisonGuard::reopen(Clock::time_point now) {
  std::vector<std::string> open;
  for (Route& route : routes_) {
    if (!route.closed || now < route.until) continue;
    route.closed = false;
    route.until = now + settings_.within;
    open.push_back(route.name);
  }
  std::erase_if(routes_, [now](const Route& r) { return !r.closed && now >= r.until; });
  return open;
}

PoisonGuard::Death& PoisonGuard::death_of(std::uint64_t worker, Clock::time_point now) {
  const auto found = std::find_if(deaths_.begin(), deaths_.end(),
                                  [worker](const Death& death) { return death.worker == worker; });
  if (found != deaths_.end()) return *found;
  if (deaths_.size() == kMaxDeaths) deaths_.pop_front();
  return deaths_.emplace_back(Death{worker, now, {}, 0});
}

void PoisonGuard::forget(Clock::time_point now) {
  while (!deaths_.empty() && now - deaths_.front().when > settings_.within) deaths_.pop_front();
}

PoisonGuard::Blame PoisonGuard::blame(std::string_view route) const {
  Blame sum;
  for (const Death& death : deaths_) {
    const auto found = find_suspect(death.suspects, route);
    if (found == death.suspects.end()) continue;
    ++sum.deaths;
    sum.share += 1.0 / static_cast<double>(death.suspects.size() + death.others);
    sum.requests += found->requests;
  }
  return sum;
}

bool PoisonGuard::guilty(std::string_view route, const Blame& blame) const {
  const Route* const known = find(route);
  if (known != nullptr && known->closed) return false;  // of what was still under way
  const std::uint32_t deaths = known != nullptr ? 1 : settings_.deaths;
  // A sum of thirds is as good as one that is exact.
  return blame.deaths >= deaths && blame.share >= deaths / 2.0 - 1e-9;
}

PoisonGuard::Closing PoisonGuard::close(std::string route, std::uint32_t deaths,
                                        Clock::time_point now) {
  std::erase_if(deaths_, [&](const Death& death) {
    return find_suspect(death.suspects, route) != death.suspects.end();
  });
  Clock::duration duration = settings_.closed;
  if (const Route* const known = find(route)) {
    const Clock::duration most = std::max<Clock::duration>(kLongestClosed, settings_.closed);
    duration = std::min(2 * known->duration, most);
    std::erase_if(routes_, [&](const Route& r) { return r.name == route; });
  } else if (routes_.size() == kMaxRoutes) {
    // Its dispatchers open it by the time that they were told.
    routes_.erase(routes_.begin());
  }
  routes_.push_back({route, true, now + duration, duration});
  return {std::move(route), duration, deaths};
}

const PoisonGuard::Route* PoisonGuard::find(std::string_view name) const {
  const auto found = std::find_if(routes_.begin(), routes_.end(),
                                  [name](const Route& route) { return route.name == name; });
  return found == routes_.end() ? nullptr : &*found;
}

}  // namespace viaduct::daemon::bridge
