#include "daemon/bridge/dispatch/dispatcher.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>

#include "daemon/bridge/dispatch/policy.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::bridge {

namespace {

bool preferable(const Worker& one, const Worker& other) {
  if (one.load() != other.load()) return one.load() < other.load();
  return one.info().rested_at.load(std::memory_order_relaxed) <
         other.info().rested_at.load(std::memory_order_relaxed);
}

}  // namespace

Dispatcher::Dispatcher(Services& services, std::uint32_t index, SharedApp& app, AppScore& scores,
                       WorkerReports& reports)
    : services_(services),
      index_(index),
      app_(app),
      scores_(scores),
      reports_(reports),
      slow_log_(services.log, app.settings.name),
      queue_(app.lanes, controlled_delay(app.settings.timeouts.queue)),
      canary_(app.settings, std::random_device{}()),
      refusals_(1, std::chrono::seconds(1), 16) {}

Dispatcher::~Dispatcher() {
  // Requests that are lost with their workers still come here.
  std::exchange(workers_, {}).clear();
}

bool Dispatcher::admits(Exchange& exchange) {
  scores_.requests.fetch_add(1, std::memory_order_relaxed);
  const config::AppLimits& limits = app_.settings.limits;
  if (exchange.params().bytes() > limits.params) {
    report_refusal("names and values of the variables exceed limits.params");
    exchange.refuse(431);
    return false;
  }
  if (limits.body != 0 && exchange.head().content_length.value_or(0) > limits.body) {
    report_refusal("the body is larger than limits.body");
    exchange.refuse(413);
    return false;
  }
  if (const auto reason = inexpressible(app_.settings.server.protocol, exchange.head())) {
    report_refusal(reason->why);
    exchange.refuse(reason->status);
    return false;
  }
  return true;
}

std::uint64_t Dispatcher::bytes_to_gather(const Exchange& exchange) {
  const config::ServerProtocol protocol = app_.settings.server.protocol;
  return bridge::bytes_to_gather({.buffering = app_.settings.buffer_requests,
                                  .taking = taking(),
                                  .role = exchange.head().role,
                                  .length_needed = protocol != config::ServerProtocol::fastcgi,
                                  .length = exchange.head().content_length,
                                  .tunnel = exchange.may_tunnel()});
}

void Dispatcher::submit(Exchange& exchange) {
  if (!closed_routes_.empty() && refuse_closed(exchange)) return;
  exchange.set_canary(canary_.takes(exchange.params()));
  if (exchange.is_canary()) scores_.canary_requests.fetch_add(1, std::memory_order_relaxed);
  const bool room = app_.lanes[exchange.lane].has_room();
  const Load load{.slot_free = room && choose(exchange) != nullptr,
                  .others_wait = queue_.next() != nullptr,
                  .queued = app_.queued.load(std::memory_order_relaxed),
                  .queue_limit = app_.settings.limits.queue,
                  .state = app_.state.load(std::memory_order_relaxed)};
  switch (admit(load)) {
    case Admission::send:
      if (!send(exchange)) wait_or_refuse(exchange);
      break;
    case Admission::wait:
      wait_or_refuse(exchange);
      break;
    case Admission::full:
      refuse_full(exchange);
      break;
    case Admission::failing:
      refuse_failing(exchange);
      break;
  }
}

void Dispatcher::refuse_failing(Exchange& exchange) {
  report_refusal("no worker is ready");
  exchange.refuse(503, std::max(1U, app_.retry_after.load(std::memory_order_relaxed)));
}

void Dispatcher::wait_or_refuse(Exchange& exchange) {
  // Other threads queue at the same time; the limit holds for all of them together.
  if (app_.queued.fetch_add(1, std::memory_order_relaxed) < app_.settings.limits.queue) {
    enqueue(exchange, false);
    return;
  }
  app_.queued.fetch_sub(1, std::memory_order_relaxed);
  refuse_full(exchange);
}

// Full is for the least important, and under overload for those that have waited longest.
void Dispatcher::refuse_full(Exchange& exchange) {
  constexpr std::string_view kReason = "the queue is full (limits.queue)";
  if (Waiting* const other = queue_.place_for(exchange.lane)) {
    refuse_queued(static_cast<Exchange&>(*other), kReason);
    app_.queued.fetch_add(1, std::memory_order_relaxed);
    enqueue(exchange, false);
    return;
  }
  report_refusal(kReason);
  exchange.refuse(503, 1);
}

void Dispatcher::refuse_queued(Exchange& exchange, std::string_view reason) {
  withdraw(exchange);
  report_refusal(reason);
  exchange.refuse(503, 1);
}

void Dispatcher::resubmit(Exchange& exchange) {
  if (!closed_routes_.empty() && refuse_closed(exchange)) return;
  scores_.retried.fetch_add(1, std::memory_order_relaxed);
  app_.queued.fetch_add(1, std::memory_order_relaxed);
  enqueue(exchange, true);
  services_.reactor.post([this] { pump(); });
}

void Dispatcher::enqueue(Exchange& exchange, bool again) {
  if (again) {
    queue_.push_again(exchange, services_.reactor.now());
  } else {
    queue_.push(exchange, services_.reactor.now());
  }
  scores_.queued.fetch_add(1, std::memory_order_relaxed);
  app_.waiting_threads.fetch_or(thread_bit(), std::memory_order_relaxed);
  if (workers_.empty()) reports_.unserved(index_);
}

void Dispatcher::withdraw(Exchange& exchange) {
  if (!exchange.queued) return;
  queue_.remove(exchange);
  app_.queued.fetch_sub(1, std::memory_order_relaxed);
  scores_.queued.fetch_sub(1, std::memory_order_relaxed);
  if (queue_.empty()) {
    app_.waiting_threads.fetch_and(~thread_bit(), std::memory_order_relaxed);
  }
}

Worker* Dispatcher::choose(const Exchange& exchange) const {
  Worker* const canary = exchange.is_canary() ? choose(exchange, true) : nullptr;
  return canary != nullptr ? canary : choose(exchange, false);
}

Worker* Dispatcher::choose(const Exchange& exchange, bool canary) const {
  struct Found {
    Worker* best = nullptr;
    Worker* avoided = nullptr;
  };
  Found up;
  Found down;
  bool any_up = false;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = *workers_[(turn_ + i) % workers_.size()];
    if (worker.info().canary != canary || worker.info().draining) continue;
    Found& found = worker.up() ? up : down;
    any_up = any_up || &found == &up;
    if (!worker.has_slot()) continue;
    if (exchange.last_worker() == worker.info().serial) {
      found.avoided = &worker;
    } else if (found.best == nullptr || preferable(worker, *found.best)) {
      found.best = &worker;
    }
  }
  const Found& found = any_up ? up : down;
  return found.best != nullptr ? found.best : found.avoided;
}

bool Dispatcher::send(Exchange& exchange) {
  Lane& lane = app_.lanes[exchange.lane];
  if (!lane.enter()) return false;
  if (send_to_worker(exchange)) return true;
  lane.leave();
  return false;
}

bool Dispatcher::send_to_worker(Exchange& exchange) {
  const bool repeatable =
      app_.settings.retry == config::Retry::idempotent && idempotent(exchange.method());
  while (Worker* worker = choose(exchange)) {
    if (const auto left = exchange.time_left()) {
      exchange.params().set("VIADUCT_DEADLINE_MS", std::to_string(left->count()));
    }
    const auto carried = worker->begin({.caller = exchange,
                                        .role = exchange.head().role,
                                        .params = exchange.params(),
                                        .has_body = exchange.may_have_body(),
                                        .repeatable = repeatable,
                                        .moves = exchange.moves(),
                                        .deadline = exchange.deadline()});
    if (!carried) continue;
    if (servers() > 0) turn_ = (turn_ + 1) % workers_.size();
    scores_.active.fetch_add(1, std::memory_order_relaxed);
    exchange.start(*worker, *carried);
    return true;
  }
  return false;
}

// The next one that waits, if a worker has room for it.
Exchange* Dispatcher::sendable() const {
  auto* const next = static_cast<Exchange*>(queue_.next());
  return next != nullptr && choose(*next) != nullptr ? next : nullptr;
}

void Dispatcher::pump() {
  // Sending may fail a connection, which frees slots, which pumps.
  if (std::exchange(pumping_, true)) return;
  for (Exchange* next = sendable(); next != nullptr; next = sendable()) {
    if (queue_.late(services_.reactor.now())) {
      shed();
      next = sendable();
    }
    if (next == nullptr || !send(*next)) break;
    withdraw(*next);
  }
  pumping_ = false;
}

std::size_t Dispatcher::slots() const {
  std::size_t sum = 0;
  for (const auto& worker : workers_) {
    if (!worker->info().draining) sum += worker->slots();
  }
  return std::max<std::size_t>(sum, 1);
}

void Dispatcher::shed() {
  const std::size_t at_once = slots();
  while (Waiting* const late = queue_.overdue(at_once, services_.reactor.now())) {
    refuse_queued(static_cast<Exchange&>(*late), "overload: requests wait too long");
  }
}

void Dispatcher::left_worker(const Exchange& exchange, Worker& worker, bool stuck) {
  scores_.active.fetch_sub(1, std::memory_order_relaxed);
  app_.lanes[exchange.lane].leave();
  if (stuck) worker.info().stuck.fetch_sub(1, std::memory_order_relaxed);
}

void Dispatcher::condemn(Worker& worker) {
  worker.info().stuck.fetch_add(1, std::memory_order_relaxed);
  worker.info().draining.store(true, std::memory_order_relaxed);
}

void Dispatcher::report_refusal(std::string_view reason) {
  const auto decision = refusals_.admit(reason, services_.reactor.now());
  if (!decision.write) return;
  services_.log.warning(
      "requests are refused",
      {{"app", app_.settings.name}, {"reason", reason}, {"suppressed", decision.suppressed}});
}

void Dispatcher::report_move(const WorkerInfo& worker, std::string_view request) {
  constexpr std::string_view kWhat =
      "request is sent over another connection: the program has not read it";
  const auto decision = refusals_.admit(kWhat, services_.reactor.now());
  if (!decision.write) return;
  services_.log.info(kWhat, {{"app", app_.settings.name},
                             who(worker),
                             {"request", request},
                             {"suppressed", decision.suppressed}});
}

void Dispatcher::report_pause(std::string_view reason) {
  const auto decision = refusals_.admit(reason, services_.reactor.now());
  if (!decision.write) return;
  services_.log.warning(
      "workers wait for slow clients: responses cannot be stored",
      {{"app", app_.settings.name}, {"reason", reason}, {"suppressed", decision.suppressed}});
}

void Dispatcher::log_line(const WorkerInfo& worker, std::string_view line) {
  const auto decision = log_limit_.admit(line.size(), services_.reactor.now());
  if (!decision.write) return;
  const log::Log& log = log_ != nullptr ? *log_ : services_.log;
  if (decision.suppressed > 0) {
    log.warning("lines of the error stream were dropped: too many at a time",
                {{"app", app_.settings.name}, {"bytes", decision.suppressed}});
  }
  log.info(line, {{"app", app_.settings.name}, who(worker)});
}

}  // namespace viaduct::daemon::bridge
