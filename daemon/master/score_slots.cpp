#include "daemon/master/score_slots.hpp"

#include <optional>
#include <stdexcept>

namespace viaduct::daemon::master {

namespace {

void clear(AppScore& score) {
  for (auto* counter :
       {&score.requests, &score.failed, &score.aborted, &score.retried, &score.timeouts}) {
    counter->store(0, std::memory_order_relaxed);
  }
  score.active.store(0, std::memory_order_relaxed);
  score.queued.store(0, std::memory_order_relaxed);
}

}  // namespace

std::shared_ptr<const ScoreSlot> ScoreSlots::take(const std::string& app) {
  std::optional<std::uint32_t> free;
  for (std::uint32_t index = 0; index < slots_.size(); ++index) {
    const auto slot = slots_[index].lock();
    if (slot && slot->app == app) return slot;
    if (!slot && !free) free = index;
  }
  if (!free) throw std::runtime_error("too many apps at once, those of older generations included");
  clear(scores_.apps[*free]);
  auto made = std::make_shared<const ScoreSlot>(ScoreSlot{app, *free});
  slots_[*free] = made;
  return made;
}

void ScoreSlots::reset_gauges() noexcept {
  scores_.connections.store(0, std::memory_order_relaxed);
  for (AppScore& score : scores_.apps) {
    score.active.store(0, std::memory_order_relaxed);
    score.queued.store(0, std::memory_order_relaxed);
  }
}

}  // namespace viaduct::daemon::master
