#include "daemon/master/app_pool.hpp"

#include <algorithm>
#include <exception>
#include <random>
#include <utility>

#include "daemon/master/log_set.hpp"
#include "daemon/master/runtime_directory.hpp"

namespace viaduct::daemon::master {

namespace {

using Clock = std::chrono::steady_clock;

// The program's own words say best why it could not start. Later, its last line may be about
// anything.
std::string describe_failure(const Worker& worker) {
  std::string text = worker.name() + ": " + worker.failure();
  const std::string line = worker.was_ready() ? "" : worker.last_line();
  if (!line.empty()) text += "; it wrote last: \"" + line + "\"";
  return text;
}

}  // namespace

channel::AppState app_state(std::size_t places, std::size_t ready, std::size_t starting) {
  if (ready > 0) return channel::AppState::serving;
  if (starting > 0) return channel::AppState::starting;
  return places == 0 ? channel::AppState::idle : channel::AppState::failing;
}

AppPool::AppPool(Context& context, config::AppSettings app, PoolObserver& observer)
    : context_(context),
      app_(std::move(app)),
      observer_(observer),
      range_(app_.workers),
      timer_(context.io) {}

void AppPool::start(std::size_t size) {
  resize(std::clamp<std::size_t>(size, range_.min, range_.max));
  refresh();
  tick_later();
}

void AppPool::update(const config::AppSettings& app) {
  app_ = app;
  range_ = app_.workers;
  adjust();
  tick_later();
}

void AppPool::resize(std::size_t count) {
  while (slots_.size() > count) {
    const auto slot = std::move(slots_.back());
    slots_.pop_back();
    for (const std::uint64_t serial : {slot->successor, slot->holder}) {
      if (Worker* worker = find(serial)) worker->handle(WorkerEvent::retire);
    }
  }
  while (slots_.size() < count) {
    slots_.push_back(std::make_unique<Slot>(context_.io, static_cast<unsigned>(slots_.size() + 1)));
    handle(*slots_.back(), PlaceEvent::due);
  }
}

void AppPool::retire() {
  if (retired_) return;
  retired_ = true;
  timer_.cancel();
  slots_.clear();
  for_each_worker([](Worker& worker) { worker.handle(WorkerEvent::retire); });
  if (workers_.empty()) observer_.pool_empty(*this);
}

void AppPool::kill() {
  for_each_worker([](Worker& worker) { worker.kill(); });
}

// ---- places

void AppPool::handle(Slot& slot, PlaceEvent event) {
  const auto step = advance(slot.state, event);
  if (!step) {
    context_.logs.daemon().error("place event out of place", {{"app", app_.name},
                                                              {"slot", slot.number},
                                                              {"state", to_string(slot.state)},
                                                              {"event", to_string(event)}});
    return;
  }
  slot.state = step->next;
  act(slot, step->action);
}

void AppPool::act(Slot& slot, PlaceAction action) {
  switch (action) {
    case PlaceAction::none:
      return;
    case PlaceAction::launch:
      return launch(slot, &Slot::holder);
    case PlaceAction::launch_successor:
      return launch(slot, &Slot::successor);
    case PlaceAction::promote:
      slot.holder = std::exchange(slot.successor, 0);
      return;
    case PlaceAction::relieve: {
      slot.failures = slot.successor_failures = 0;
      const auto relieved = std::exchange(slot.holder, std::exchange(slot.successor, 0));
      if (Worker* worker = find(relieved)) worker->handle(WorkerEvent::retire);
      return;
    }
    case PlaceAction::back_off:
      return back_off(slot);
    case PlaceAction::recycle_later:
      slot.successor = 0;
      slot.recycle_after = Clock::now() + slot.delay;
      return;
  }
}

void AppPool::launch(Slot& slot, std::uint64_t Slot::*who) {
  auto worker =
      std::make_shared<Worker>(context_, app_, slot.number, static_cast<WorkerOwner&>(*this));
  slot.*who = worker->serial();
  try {
    worker->start();
  } catch (const std::exception& error) {
    context_.logs.daemon().error(app_.name + ": cannot start a worker",
                                 {{"app", app_.name}, {"error", error.what()}});
    if (slot.holder == worker->serial()) start_failed();
    failure_ = error.what();
    lost(slot, *worker);
    return refresh();
  }
  workers_.emplace(worker->serial(), worker);
  observer_.worker_added(*this, *worker);
  refresh();
}

void AppPool::start_failed() {
  has_failed_ = start_failed_ = true;
  ++failed_starts_;
}

// The worker of a place has ended, or is of no use any more.
void AppPool::lost(Slot& slot, const Worker& worker) {
  const bool is_successor = worker.serial() == slot.successor;
  unsigned& failures = is_successor ? slot.successor_failures : slot.failures;
  std::uniform_real_distribution<double> jitter(0.0, 1.0);
  const Restart restart = next_restart(backoff_, failures, worker.was_ready(), worker.uptime(),
                                       jitter(context_.random));
  failures = restart.failures;
  slot.delay = restart.delay;
  handle(slot, is_successor ? PlaceEvent::successor_lost : PlaceEvent::lost);
}

void AppPool::back_off(Slot& slot) {
  slot.holder = 0;
  if (slot.delay.count() == 0) return handle(slot, PlaceEvent::due);
  slot.restart.expires_after(slot.delay);
  slot.restart.async_wait(
      [weak = weak_from_this(), number = slot.number](const boost::system::error_code& error) {
        const auto self = weak.lock();
        // The place may have been given up since, and another made in its stead.
        if (!self || error || number > self->slots_.size()) return;
        Slot& due = *self->slots_[number - 1];
        if (due.state == PlaceState::vacant) self->handle(due, PlaceEvent::due);
      });
}

void AppPool::worker_ready(Worker& worker) {
  context_.logs.daemon().info("worker ready", {{"app", app_.name},
                                               {"worker", worker.name()},
                                               {"pid", worker.pid()},
                                               {"after_ms", worker.uptime().count()}});
  start_failed_ = false;
  capacity_ = std::max(worker.capacity(), 1u);
  observer_.worker_ready(*this, worker);
  Slot* slot = slot_of(worker.serial());
  if (slot != nullptr && slot->successor == worker.serial()) {
    handle(*slot, PlaceEvent::relieved);
    recycle();  // another one may have waited for its turn
  }
  refresh();
}

void AppPool::worker_draining(Worker& worker) {
  observer_.worker_draining(*this, worker);
  refresh();
}

void AppPool::worker_place_free(Worker& worker) {
  Slot* slot = slot_of(worker.serial());
  if (slot == nullptr) return;
  if (!worker.was_ready() && slot->holder == worker.serial()) start_failed();
  if (!worker.failure().empty()) failure_ = describe_failure(worker);
  lost(*slot, worker);
  refresh();
}

void AppPool::worker_gone(Worker& worker, int status) {
  observer_.worker_dead(*this, worker, status);
  workers_.erase(worker.serial());
  if (finished()) observer_.pool_empty(*this);
}

void AppPool::refresh() {
  if (retired_) return;
  std::size_t ready = 0;
  std::size_t starting = 0;
  for (const auto& slot : slots_) {
    const Worker* worker = find(slot->holder);
    if (worker == nullptr) continue;
    ready += worker->state() == WorkerState::ready;
    starting += worker->state() == WorkerState::starting;
  }
  // Servers that others run are there without us.
  const auto state =
      connects() ? channel::AppState::serving : app_state(slots_.size(), ready, starting);
  if (state != std::exchange(state_, state)) {
    const auto level = state == channel::AppState::failing ? log::Level::error : log::Level::info;
    context_.logs.daemon().write(level, app_.name + ": " + std::string(to_string(state)),
                                 {{"app", app_.name}});
  }
  observer_.pool_changed(*this);
}

std::uint32_t AppPool::retry_after() const {
  auto soonest = Clock::time_point::max();
  for (const auto& slot : slots_) {
    if (slot->state == PlaceState::vacant) soonest = std::min(soonest, slot->restart.expiry());
  }
  if (soonest == Clock::time_point::max()) return 1;
  const auto left = std::chrono::ceil<std::chrono::seconds>(soonest - Clock::now());
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left.count(), 1, 3600));
}

bool AppPool::failing() const {
  return state_ == channel::AppState::failing ||
         (state_ == channel::AppState::starting && start_failed_);
}

bool AppPool::all_ready() const {
  return std::all_of(slots_.begin(), slots_.end(),
                     [this](const auto& slot) { return is_ready(slot->holder); });
}

bool AppPool::reachable() const {
  return std::all_of(workers_.begin(), workers_.end(), [this](const auto& entry) {
    const WorkerState state = entry.second->state();
    const bool serves = state == WorkerState::starting || state == WorkerState::ready;
    return !serves || context_.runtime.has_worker_socket(entry.first);
  });
}

bool AppPool::settled() const {
  return has_failed_ || all_ready();
}

Worker* AppPool::find(std::uint64_t serial) const {
  const auto found = workers_.find(serial);
  return found == workers_.end() ? nullptr : found->second.get();
}

bool AppPool::is_ready(std::uint64_t serial) const {
  const Worker* worker = find(serial);
  return worker != nullptr && worker->state() == WorkerState::ready;
}

AppPool::Slot* AppPool::slot_of(std::uint64_t serial) {
  const auto slot = std::find_if(slots_.begin(), slots_.end(), [serial](const auto& candidate) {
    return candidate->holder == serial || candidate->successor == serial;
  });
  return slot == slots_.end() ? nullptr : slot->get();
}

}  // namespace viaduct::daemon::master
