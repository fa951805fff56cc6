// What pools and generations report, and what follows for the others.
#include <algorithm>
#include <utility>

#include "daemon/master/exit_text.hpp"
#include "daemon/master/master.hpp"
#include "daemon/master/sandbox_report.hpp"

namespace viaduct::daemon::master {

void Master::worker_added(AppPool& pool, Worker& worker) {
  for (const auto& generation : generations_) generation->worker_added(pool, worker);
}

void Master::worker_ready(AppPool& pool, Worker& worker) {
  for (const auto& generation : generations_) generation->worker_ready(pool, worker);
}

void Master::worker_draining(AppPool& pool, Worker& worker) {
  for (const auto& generation : generations_) generation->worker_draining(pool, worker);
  later(&Master::check_idle_workers);
}

void Master::worker_dead(AppPool& pool, Worker& worker, int status) {
  const auto& crash = worker.crash();
  unsigned asked = 0;
  for (const auto& generation : generations_) {
    if (generation->worker_dead(pool, worker, status, crash.has_value())) ++asked;
  }
  if (crash) crashes_.open(worker.serial(), *crash, pool.settings().crash_dir, asked);
}

void Master::pool_changed(AppPool& pool) {
  for (const auto& generation : generations_) generation->pool_changed(pool);
  later(&Master::report_status);
  later(&Master::check_candidate);
  if (!scalings_.empty()) later(&Master::check_scalings);
}

void Master::pool_empty(AppPool&) {
  later(&Master::sweep);
}

void Master::bridge_started(Generation& generation) {
  tell_sandbox(generation.sandbox());
  if (&generation == candidate_.get()) return later(&Master::check_candidate);
  later(&Master::report_status);
}

// The kernel is the same for every bridge.
void Master::tell_sandbox(const SandboxState& state) {
  const auto lacks = sandbox_lacks(state);
  if (lacks.empty() || std::exchange(sandbox_told_, true)) return;
  for (const auto& [part, why] : lacks) {
    logs_.daemon().warning("the sandbox of the bridge lacks a part",
                           {{"part", part}, {"error", why}});
  }
}

void Master::bridge_lost(Generation&) {
  later(&Master::check_idle_workers);
}

void Master::bridge_reaped(pid_t pid) {
  ended_bridges_.add(pid, EndedBridges::Clock::now());
}

void Master::bridge_left(Generation& generation) {
  answer_left(generation.number());
}

void Master::bridge_distrusted(Generation&) {
  ++violations_;
}

void Master::worker_idle(AppPool&, Worker&) {
  later(&Master::check_idle_workers);
}

// Several bridges may share a pool while one generation follows another.
void Master::load_changed(AppPool& pool) {
  PoolLoad sum;
  for (const auto& generation : generations_) {
    const PoolLoad load = generation->load_of(pool);
    sum.busy += load.busy;
    sum.queued += load.queued;
    sum.delay = std::max(sum.delay, load.delay);
  }
  pool.set_load(sum);
}

void Master::requests_lost(std::uint64_t worker, channel::LostRequests requests) {
  crashes_.requests_lost(worker, std::move(requests));
}

void Master::requests_listed(Generation& generation, std::uint64_t question, std::uint32_t omitted,
                             std::vector<channel::ListedRequest> requests) {
  queries_.answer(question, generation.number(), omitted, std::move(requests));
}

void Master::generation_gone(Generation& generation, int status) {
  if (&generation == candidate_.get()) discard("its bridge " + exit_text(status));
  const bool preparing = takeover_ == Takeover::preparing && !stopping_;
  if (preparing && &generation == current_.get()) give_up("its bridge " + exit_text(status));
  answer_left(generation.number());
  if (current_) check_listeners();
  later(&Master::sweep);
}

// Drops what is over; destroying it is safe here, outside its own calls.
void Master::sweep() {
  std::erase_if(generations_, [](const auto& generation) {
    return generation->state() == GenerationState::gone;
  });
  std::erase_if(past_outcomes_, [](const auto& past) { return past.first->finished(); });
  std::erase_if(pools_, [](const auto& pool) { return pool->finished(); });
  release_unused_pools();
  check_idle_workers();
  check_stopped();
  next_reload();
}

bool Master::is_used(const AppPool& pool) const {
  if (is_kept_for_probation(pool)) return true;
  return std::any_of(generations_.begin(), generations_.end(),
                     [&](const auto& generation) { return generation->uses(pool); });
}

void Master::release_unused_pools() {
  const auto pools = pools_;
  for (const auto& pool : pools) {
    if (!is_used(*pool)) pool->retire();
  }
}

void Master::check_idle_workers() {
  for (const auto& pool : pools_) {
    pool->for_each_worker([&](Worker& worker) {
      const bool leaving =
          worker.state() == WorkerState::draining || worker.state() == WorkerState::discarded;
      const bool busy =
          std::any_of(generations_.begin(), generations_.end(),
                      [&](const auto& generation) { return generation->is_busy_with(worker); });
      if (leaving && !busy) worker.handle(WorkerEvent::idle);
    });
  }
}

std::size_t Master::draining() const {
  return static_cast<std::size_t>(
      std::count_if(generations_.begin(), generations_.end(), [](const auto& generation) {
        return generation->state() == GenerationState::draining ||
               generation->state() == GenerationState::ending;
      }));
}

}  // namespace viaduct::daemon::master
