#include "daemon/bridge/link/server_health.hpp"

#include <algorithm>

namespace viaduct::daemon::bridge {

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

std::chrono::milliseconds ServerHealth::time_down() const {
  constexpr std::uint32_t kDoublings = 5;
  return std::min(kFirstTimeDown * (1U << std::min(times_down_.load(kRelaxed), kDoublings)),
                  kLongestTimeDown);
}

bool ServerHealth::fail(Failure failure, bool last, Clock::time_point now) {
  if (!up()) {
    passes_.store(0, kRelaxed);
    return false;
  }
  const bool rising = share(now) < kWhole;
  if (!rising) times_down_.store(0, kRelaxed);
  if (failures_.fetch_add(1, kRelaxed) + 1 < policy_.fail && !rising) return false;
  if (last && failure == Failure::request) return false;
  State expected = State::up;
  if (!state_.compare_exchange_strong(expected, State::falling)) return false;  // by another thread
  until_.store((now + time_down()).time_since_epoch().count(), kRelaxed);
  passes_.store(0, kRelaxed);
  times_down_.fetch_add(1, kRelaxed);
  state_.store(State::down, std::memory_order_release);
  return true;
}

bool ServerHealth::recover(Clock::time_point now) {
  if (state_.load(std::memory_order_acquire) != State::down) return false;
  if (now.time_since_epoch().count() < until_.load(kRelaxed)) return false;
  const bool checked = policy_.interval.count() != 0;
  if (checked && passes_.load(kRelaxed) < policy_.pass) return false;
  return come_up(now);
}

bool ServerHealth::revive(Clock::time_point now) {
  return state_.load(std::memory_order_acquire) == State::down && come_up(now);
}

bool ServerHealth::come_up(Clock::time_point now) {
  State expected = State::down;
  if (!state_.compare_exchange_strong(expected, State::up)) return false;  // by another thread
  failures_.store(0, kRelaxed);
  up_since_.store(now.time_since_epoch().count(), kRelaxed);
  return true;
}

std::uint32_t ServerHealth::share(Clock::time_point now) const {
  const Clock::rep since = up_since_.load(kRelaxed);
  if (since == 0) return kWhole;
  const auto up_for = now.time_since_epoch() - Clock::duration(since);
  if (up_for >= kSlowStart) return kWhole;
  const auto grown = kWhole * std::max<Clock::rep>(up_for.count(), 0) /
                     std::chrono::duration_cast<Clock::duration>(kSlowStart).count();
  return std::max(kLeast, static_cast<std::uint32_t>(grown));
}

}  // namespace viaduct::daemon::bridge
