// The workers of an app, or its servers: how they come, go and change.
#include <algorithm>
#include <utility>

#include "daemon/bridge/dispatch/dispatcher.hpp"
#include "daemon/bridge/dispatch/policy.hpp"
#include "daemon/bridge/link/process_worker.hpp"
#include "daemon/bridge/link/server.hpp"
#include "daemon/channel/crash.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::bridge {

namespace {

/// How long an idle worker may take to answer a health check.
constexpr auto kHealthPatience = std::chrono::seconds(10);

}  // namespace

void Dispatcher::add(const std::shared_ptr<WorkerInfo>& info, bool ask) {
  workers_.push_back(make_worker(info, ask));
  workers_.back()->keep_connections(keep_connections_);
  services_.reactor.tick_soon();
  pump();
}

std::unique_ptr<Worker> Dispatcher::make_worker(const std::shared_ptr<WorkerInfo>& info, bool ask) {
  if (info->server) return std::make_unique<Server>(services_.reactor, *this, info);
  auto worker = std::make_unique<ProcessWorker>(services_.reactor, *this, info);
  if (ask) {
    worker->ask();
  } else {
    worker->assume_plain(app_.settings.probe);
  }
  return worker;
}

Worker* Dispatcher::find(std::uint64_t serial) const {
  const auto found = std::find_if(workers_.begin(), workers_.end(), [serial](const auto& worker) {
    return worker->info().serial == serial;
  });
  return found == workers_.end() ? nullptr : found->get();
}

Taking Dispatcher::taking() {
  Taking found = Taking::unknown;
  for (const auto& worker : workers_) {
    if (!worker->info().draining) found = std::max(found, worker->taking());
  }
  if (found != Taking::unknown) taking_ = found;
  return taking_;
}

void Dispatcher::drain(std::uint64_t serial) {
  Worker* worker = find(serial);
  if (worker == nullptr) return;
  worker->info().draining = true;
  worker->announce_draining();
  // A program that waits on an idle connection may not notice the signal that is to end it:
  // php-cgi.
  worker->keep_connections(false);
  report_if_idle(*worker);
}

channel::LostRequests Dispatcher::remove(std::uint64_t serial, int status) {
  const auto found = std::find_if(workers_.begin(), workers_.end(), [serial](const auto& worker) {
    return worker->info().serial == serial;
  });
  if (found == workers_.end()) return {};
  std::unique_ptr<Worker> worker = std::move(*found);
  workers_.erase(found);
  const bool expected = worker->info().draining;
  turn_ = 0;
  worker->die();
  auto loss = losses_.take(serial, services_.reactor.now());
  if (channel::crashed(status) && !expected && !loss.suspects.empty()) {
    reports_.crashed(worker->info(), std::move(loss.suspects));
  }
  services_.reactor.bury(std::move(worker));
  pump();
  return std::move(loss.requests);
}

void Dispatcher::announce_draining() {
  for (const auto& worker : workers_) worker->announce_draining();
}

void Dispatcher::keep_connections(bool keep) {
  keep_connections_ = keep;
  for (const auto& worker : workers_) worker->keep_connections(keep && !worker->info().draining);
}

void Dispatcher::state_changed() {
  if (app_.state != channel::AppState::serving) queue_.interrupt();
  if (app_.state == channel::AppState::failing) {
    queue_.for_each([this](Waiting& waiting) {
      auto& exchange = static_cast<Exchange&>(waiting);
      if (choose(exchange) != nullptr) return;
      withdraw(exchange);
      refuse_failing(exchange);
    });
  }
  pump();
}

void Dispatcher::tick(Clock::time_point now) {
  for (const auto& worker : workers_) {
    WorkerInfo& info = worker->info();
    if (const auto reason = worker->tick(now, kHealthPatience)) {
      info.draining = true;
      if (!info.replaced.exchange(true)) reports_.replace(info, *reason);
    } else if (info.stuck > 0 && info.active <= info.stuck && !info.replaced.exchange(true)) {
      reports_.replace(info, "a request ignored its abort");
    }
  }
  pump();
  measure_delay(now);
}

void Dispatcher::measure_delay(Clock::time_point now) {
  if (queue_.empty()) return;
  const auto waited =
      std::chrono::duration_cast<std::chrono::milliseconds>(now - queue_.waiting_since());
  const auto delay = static_cast<std::uint32_t>(std::max<std::int64_t>(waited.count(), 0));
  std::uint32_t longest = app_.delay_ms.load(std::memory_order_relaxed);
  while (longest < delay &&
         !app_.delay_ms.compare_exchange_weak(longest, delay, std::memory_order_relaxed)) {
  }
}

bool Dispatcher::wants_tick() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->wants_tick(); });
}

void Dispatcher::on_answered(Worker& worker) {
  reports_.answered(worker.shared_info());
}

void Dispatcher::on_slot_free(Worker& worker) {
  if (!queue_.empty()) pump();
  report_if_idle(worker);
  const std::uint32_t others = app_.waiting_threads.load(std::memory_order_relaxed) & ~thread_bit();
  if (others != 0) reports_.wake_others(worker.info().app);
}

void Dispatcher::report_if_idle(Worker& worker) {
  if (worker.info().draining && worker.info().active == 0) reports_.idle(worker.info());
}

void Dispatcher::on_link_trouble(Worker& worker, const std::string& what) {
  services_.log.warning(worker.info().server ? "server cannot be reached" : "link to worker lost",
                        {{"app", app_.settings.name}, who(worker.info()), {"reason", what}});
  // Its requests may go to another worker at once.
  services_.reactor.post([this] { pump(); });
}

WorkerOwner::Others Dispatcher::others(const Worker& worker) const {
  Others found = Others::none;
  for (const auto& other : workers_) {
    if (other.get() == &worker || other->info().draining || !other->up()) continue;
    if (!other->rising()) return Others::whole;
    found = Others::rising;
  }
  return found;
}

bool Dispatcher::other_has_slot(const Worker& worker) const {
  return std::any_of(workers_.begin(), workers_.end(), [&](const auto& other) {
    const WorkerInfo& info = other->info();
    return other.get() != &worker && info.canary == worker.info().canary && !info.draining &&
           other->up() && other->has_slot();
  });
}

Clock::time_point Dispatcher::recovery_limit(Clock::time_point deadline) const {
  const config::Timeouts& timeouts = app_.settings.timeouts;
  return recovery_deadline({.now = services_.reactor.now(),
                            .deadline = deadline,
                            .run_on = timeouts.request,
                            .abort = timeouts.abort});
}

void Dispatcher::on_server_up(Worker& worker) {
  services_.log.info("server is up again", {{"app", app_.settings.name}, who(worker.info())});
  reports_.server_changed(worker.shared_info(), {});
}

void Dispatcher::on_server_down(Worker& worker, const std::string& why) {
  services_.log.warning("server is down",
                        {{"app", app_.settings.name}, who(worker.info()), {"reason", why}});
  reports_.server_changed(worker.shared_info(), why);
}

}  // namespace viaduct::daemon::bridge
