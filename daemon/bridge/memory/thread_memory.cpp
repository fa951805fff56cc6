#include "daemon/bridge/memory/thread_memory.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::daemon::bridge {

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
  constexpr auto kOrder = std::memory_order_relaxed;
  const std::int64_t before = std::exchange(told_, held_);
  // Unsigned: a decrease wraps around and adds up all the same.
  process_->held.fetch_add(static_cast<std::uint64_t>(held_ - before), kOrder);
  if (process_->policy.limit == 0) return;
  const std::uint32_t round = process_->rounds.load(std::memory_order_acquire);
  if (std::exchange(round_, round) != round) peak_ = before;
  if (held_ > peak_) {
    process_->taken.fetch_add(static_cast<std::uint64_t>(held_ - peak_), kOrder);
    peak_ = held_;
  }
  const std::uint64_t held = process_->held.load(kOrder);
  const std::uint64_t taken = process_->taken.load(kOrder);
  if (taken > process_->policy.limit && taken > held + process_->policy.heap_slack()) give_back();
}

void ThreadMemory::give_back() {
  if (process_->giving_back.exchange(true, std::memory_order_acquire)) return;
  process_->give_back();
  process_->taken.store(process_->held.load(std::memory_order_relaxed), std::memory_order_relaxed);
  process_->rounds.fetch_add(1, std::memory_order_release);
  process_->giving_back.store(false, std::memory_order_release);
}

}  // namespace viaduct::daemon::bridge
