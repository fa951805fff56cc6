// How many workers a pool has, and how long each of them stays.
#include <algorithm>

#include "daemon/master/app_pool.hpp"
#include "daemon/master/log_set.hpp"
#include "daemon/master/recycle.hpp"

namespace viaduct::daemon::master {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kTick{1};
/// Reading a large process's memory takes the kernel a millisecond, in which nothing else is done.
constexpr unsigned kMeasuredPerTick = 16;

}  // namespace

void AppPool::set_load(const PoolLoad& load) {
  load_ = load;
  adjust();
}

std::optional<std::string> AppPool::scale(std::uint32_t count) {
  if (retired_) return app_.name + ": is being stopped";
  if (connects()) return app_.name + ": others run its servers (connect)";
  const config::Workers& written = app_.workers;
  const bool fixed = written.min == written.max;
  const std::uint32_t least = written.min == 0 ? 0 : 1;
  if (count < least || count > config::kMaxWorkers) {
    return app_.name + ": expected a number of workers from " + std::to_string(least) + " to " +
           std::to_string(config::kMaxWorkers);
  }
  range_.min = fixed ? count : std::min(count, written.max);
  range_.max = fixed ? count : written.max;
  context_.logs.daemon().info(app_.name + ": scaled by hand",
                              {{"app", app_.name}, {"workers", range_.min}});
  adjust();
  return std::nullopt;
}

std::vector<WorkerView> AppPool::workers() const {
  std::vector<WorkerView> views;
  for (const auto& [serial, worker] : workers_) {
    views.push_back({serial, worker->slot(), worker->pid(), worker->state(), worker->uptime(),
                     worker->requests(), worker->memory()});
  }
  return views;
}

// A pool that fails keeps trying with the places it has: more would fail as well, and one that
// nobody asks for any more is still to be found well again.
void AppPool::adjust() {
  if (retired_ || connects()) return;
  const auto present = static_cast<std::uint32_t>(slots_.size());
  std::uint32_t wanted = size_.next(Clock::now(), range_, load_, capacity_, present);
  if (state_ == channel::AppState::failing) {
    wanted = std::max(range_.min, std::min(std::max(wanted, 1u), present));
  }
  if (wanted == present) return;
  if (range_.min != range_.max) {
    context_.logs.daemon().info(app_.name + (wanted > present ? ": grows" : ": shrinks"),
                                {{"app", app_.name},
                                 {"from", present},
                                 {"workers", wanted},
                                 {"busy", load_.busy},
                                 {"queued", load_.queued}});
  }
  resize(wanted);
  refresh();
}

void AppPool::add_requests(Worker& worker, std::uint64_t count) {
  worker.add_requests(count);
  if (limit_of(worker).empty()) return;
  const Slot* const slot = slot_of(worker.serial());
  if (slot != nullptr && slot->state == PlaceState::held) recycle();
}

std::string_view AppPool::limit_of(const Worker& worker) const {
  const std::uint64_t memory = app_.limits.memory == 0 ? 0 : worker.measured_memory();
  return limit_reached(app_.limits, {worker.requests(), worker.uptime(), memory}, worker.jitter());
}

// The oldest first: otherwise a busy pool would replace the same place over and over. What waits
// for its turn is looked at again at the next tick.
void AppPool::recycle() {
  auto left = recycled_at_once(slots_.size());
  for (const auto& slot : slots_) left -= slot->state == PlaceState::relieving && left > 0;
  if (left == 0 || recycling_.empty(Clock::now())) return;
  const auto workers = workers_;
  for (auto next = workers.begin(); next != workers.end() && left > 0; ++next) {
    Worker& worker = *next->second;
    Slot* slot = slot_of(worker.serial());
    if (slot == nullptr || slot->state != PlaceState::held || !is_ready(worker.serial())) continue;
    if (Clock::now() < slot->recycle_after) continue;
    const auto reached = limit_of(worker);
    if (reached.empty()) continue;
    context_.logs.daemon().info(app_.name + ": worker is recycled: limits." + std::string(reached),
                                {{"app", app_.name},
                                 {"worker", worker.name()},
                                 {"pid", worker.pid()},
                                 {"requests", worker.requests()},
                                 {"uptime_ms", worker.uptime().count()},
                                 {"memory", worker.measured_memory()}});
    handle(*slot, PlaceEvent::recycle);
    recycling_.spend(1, Clock::now());
    if (recycling_.empty(Clock::now())) return;
    --left;
  }
}

// In turn, so that a large pool does not hold up the event loop.
void AppPool::measure() {
  auto next = workers_.upper_bound(measured_);
  const auto count = std::min<std::size_t>(workers_.size(), kMeasuredPerTick);
  for (std::size_t i = 0; i < count; ++i, ++next) {
    if (next == workers_.end()) next = workers_.begin();
    next->second->memory();
    measured_ = next->first;
  }
}

bool AppPool::needs_ticks() const {
  const config::AppLimits& limits = app_.limits;
  return range_.min != range_.max || limits.requests != 0 || limits.age.count() != 0 ||
         limits.memory != 0;
}

void AppPool::tick_later() {
  if (retired_ || ticking_ || !needs_ticks()) return;
  ticking_ = true;
  timer_.expires_after(kTick);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self && !error) self->tick();
  });
}

void AppPool::tick() {
  ticking_ = false;
  if (app_.limits.memory != 0) measure();
  recycle();
  adjust();
  tick_later();
}

}  // namespace viaduct::daemon::master
