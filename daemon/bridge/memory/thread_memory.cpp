#include "daemon/bridge/memory/thread_memory.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::daemon::bridge {

namespace {

constexpr auto kOrder = std::memory_order_relaxed;

}  // namespace

bool ProcessMemory::room_is_due() const {
  return taken.load(kOrder) > policy.footprint_limit() || excess.load(kOrder) > 0;
}

void ProcessMemory::make_room() {
  if (policy.limit == 0 || !room_is_due()) return;
  const std::lock_guard lock(making_room);
  if (!room_is_due()) return;
  // Read before measuring: what other threads add meanwhile counts twice rather than never.
  const std::uint64_t before = taken.load(kOrder);
  give_back();
  const std::uint64_t holding = held.load(kOrder);
  const std::uint64_t measured = (footprint ? footprint() : std::nullopt).value_or(holding);
  // Buffers hold room that nothing was written to yet: its pages come later, and are counted now.
  const std::uint64_t current = std::max(measured, holding);
  // Unsigned: a decrease wraps around and adds up all the same.
  taken.fetch_add(current - before, kOrder);
  excess.store(policy.excess_of_footprint(current, holding), kOrder);
}

void ThreadMemory::join(ProcessMemory& process, std::function<void()> on_pressure) {
  process_ = &process;
  on_pressure_ = std::move(on_pressure);
  step_ = static_cast<std::int64_t>(process.policy.step());
}

void ThreadMemory::leave() {
  process_ = nullptr;
  step_ = INT64_MAX;
}

void ThreadMemory::tell() {
  if (process_ == nullptr) return;
  publish();
  if (process_->refusing()) on_pressure_();
}

void ThreadMemory::publish() {
  if (process_ == nullptr) return;
  const std::int64_t before = std::exchange(told_, held_);
  process_->held.fetch_add(static_cast<std::uint64_t>(held_ - before), kOrder);
  process_->taken.fetch_add(static_cast<std::uint64_t>(std::exchange(added_, 0)), kOrder);
  process_->make_room();
}

bool ThreadMemory::look_again() {
  if (!std::exchange(gave_up_, false) || process_ == nullptr) return false;
  publish();
  if (process_->excess.load(kOrder) == 0) return false;
  on_pressure_();
  return true;
}

}  // namespace viaduct::daemon::bridge
