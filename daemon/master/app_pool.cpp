#include "daemon/master/app_pool.hpp"

#include <algorithm>
#include <exception>
#include <random>
#include <utility>

#include "daemon/master/log_set.hpp"

namespace viaduct::daemon::master {

channel::AppState app_state(std::size_t ready, std::size_t starting) {
  if (ready > 0) return channel::AppState::serving;
  return starting > 0 ? channel::AppState::starting : channel::AppState::failing;
}

AppPool::AppPool(Context& context, config::AppSettings app, PoolObserver& observer)
    : context_(context), app_(std::move(app)), observer_(observer) {}

void AppPool::start() {
  resize(app_.workers);
}

void AppPool::update(const config::AppSettings& app) {
  app_ = app;
  resize(app_.workers);
}

std::optional<std::string> AppPool::scale(std::uint32_t count) {
  if (retired_) return app_.name + ": is being stopped";
  if (count < 1 || count > config::kMaxWorkers) {
    return app_.name + ": expected a number of workers from 1 to " +
           std::to_string(config::kMaxWorkers);
  }
  context_.logs.daemon().info(app_.name + ": scaled by hand",
                              {{"app", app_.name}, {"workers", count}});
  resize(count);
  refresh();
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

void AppPool::resize(std::size_t count) {
  while (slots_.size() > count) {
    const auto slot = std::move(slots_.back());
    slots_.pop_back();
    if (Worker* worker = find(slot->serial)) worker->handle(WorkerEvent::retire);
  }
  while (slots_.size() < count) {
    slots_.push_back(std::make_unique<Slot>(context_.io));
    launch(slots_.size() - 1);
  }
}

void AppPool::retire() {
  if (retired_) return;
  retired_ = true;
  slots_.clear();
  for_each_worker([](Worker& worker) { worker.handle(WorkerEvent::retire); });
  if (workers_.empty()) observer_.pool_empty(*this);
}

void AppPool::kill() {
  for_each_worker([](Worker& worker) { worker.kill(); });
}

void AppPool::launch(std::size_t index) {
  Slot& slot = *slots_[index];
  const auto number = static_cast<unsigned>(index + 1);
  auto worker = std::make_shared<Worker>(context_, app_, number, static_cast<WorkerOwner&>(*this));
  slot.serial = worker->serial();
  try {
    worker->start();
  } catch (const std::exception& error) {
    context_.logs.daemon().error(app_.name + ": cannot start a worker",
                                 {{"app", app_.name}, {"error", error.what()}});
    has_failed_ = true;
    ++failed_starts_;
    failure_ = error.what();
    schedule(index, *worker);
    return refresh();
  }
  workers_.emplace(worker->serial(), worker);
  observer_.worker_added(*this, *worker);
  refresh();
}

void AppPool::schedule(std::size_t index, const Worker& predecessor) {
  Slot& slot = *slots_[index];
  std::uniform_real_distribution<double> jitter(0.0, 1.0);
  const Restart restart = next_restart(backoff_, slot.failures, predecessor.was_ready(),
                                       predecessor.uptime(), jitter(context_.random));
  slot.serial = 0;
  slot.failures = restart.failures;
  if (restart.delay.count() == 0) return launch(index);
  slot.restart.expires_after(restart.delay);
  slot.restart.async_wait([weak = weak_from_this(), index](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self && !error) self->restart_due(index);
  });
}

void AppPool::restart_due(std::size_t index) {
  const bool wanted = index < slots_.size() && slots_[index]->serial == 0;
  if (wanted) launch(index);
}

void AppPool::worker_ready(Worker& worker) {
  context_.logs.daemon().info("worker ready", {{"app", app_.name},
                                               {"worker", worker.name()},
                                               {"pid", worker.pid()},
                                               {"after_ms", worker.uptime().count()}});
  observer_.worker_ready(*this, worker);
  refresh();
}

void AppPool::worker_draining(Worker& worker) {
  observer_.worker_draining(*this, worker);
  refresh();
}

void AppPool::worker_place_free(Worker& worker) {
  const auto slot = std::find_if(slots_.begin(), slots_.end(), [&](const auto& candidate) {
    return candidate->serial == worker.serial();
  });
  if (slot == slots_.end()) return;
  if (!worker.was_ready()) {
    has_failed_ = true;
    ++failed_starts_;
  }
  if (!worker.failure().empty()) failure_ = worker.name() + ": " + worker.failure();
  schedule(static_cast<std::size_t>(slot - slots_.begin()), worker);
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
    const Worker* worker = find(slot->serial);
    if (worker == nullptr) continue;
    ready += worker->state() == WorkerState::ready;
    starting += worker->state() == WorkerState::starting;
  }
  const auto state = app_state(ready, starting);
  if (state != std::exchange(state_, state)) {
    const auto level = state == channel::AppState::failing ? log::Level::error : log::Level::info;
    context_.logs.daemon().write(level, app_.name + ": " + std::string(to_string(state)),
                                 {{"app", app_.name}});
  }
  observer_.pool_changed(*this);
}

std::uint32_t AppPool::retry_after() const {
  auto soonest = std::chrono::steady_clock::time_point::max();
  for (const auto& slot : slots_) {
    if (slot->serial == 0) soonest = std::min(soonest, slot->restart.expiry());
  }
  if (soonest == std::chrono::steady_clock::time_point::max()) return 1;
  const auto left =
      std::chrono::ceil<std::chrono::seconds>(soonest - std::chrono::steady_clock::now());
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left.count(), 1, 3600));
}

bool AppPool::all_ready() const {
  return std::all_of(slots_.begin(), slots_.end(), [this](const auto& slot) {
    const Worker* worker = find(slot->serial);
    return worker != nullptr && worker->state() == WorkerState::ready;
  });
}

bool AppPool::settled() const {
  return has_failed_ || all_ready();
}

Worker* AppPool::find(std::uint64_t serial) const {
  const auto found = workers_.find(serial);
  return found == workers_.end() ? nullptr : found->second.get();
}

}  // namespace viaduct::daemon::master
