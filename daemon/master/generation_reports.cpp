// A generation hears what its bridge tells, and reads what it counts.

#include <string.h>

#include <algorithm>
#include <utility>

#include "daemon/master/generation.hpp"
#include "daemon/master/log_set.hpp"

namespace viaduct::daemon::master {

namespace {

using Clock = std::chrono::steady_clock;
using channel::Message;
using channel::Type;

std::string_view reason_of(const Message& message) {
  return {message.reason.data(), ::strnlen(message.reason.data(), message.reason.size())};
}

}  // namespace

void Generation::bridge_says(const Message& message, std::string answer) {
  switch (message.type) {
    case Type::started:
      // While it drains, the timer is that of the drain.
      if (state_ == GenerationState::preparing || state_ == GenerationState::active) {
        timer_.cancel();
      }
      bridge_started_ = true;
      if (state_ == GenerationState::active) accept();
      return observer_.bridge_started(*this);
    case Type::ready:
    case Type::unhealthy:
    case Type::kill:
    case Type::worker_idle:
    case Type::requests:
      return worker_report(message);
    case Type::drained:
      return context_.logs.daemon().debug("bridge drained", {{"generation", number_}});
    case Type::left:
      return observer_.bridge_left(*this);
    case Type::listing:
      return list_report(message, answer);
    case Type::requests_lost:
      return observer_.requests_lost(message.serial, channel::decode(answer, message.count));
    case Type::server:
    case Type::server_gone:
      return server_report(message);
    case Type::demand:
      return load_report(message);
    default:
      context_.logs.daemon().error("unexpected message from the bridge",
                                   {{"type", static_cast<std::uint32_t>(message.type)}});
  }
}

AppPool* Generation::pool_of(std::uint64_t serial) const {
  for (const GenerationApp& app : apps_) {
    if (app.pool->find(serial) != nullptr) return app.pool.get();
  }
  return nullptr;
}

void Generation::worker_report(const Message& message) {
  AppPool* const pool = pool_of(message.serial);
  // It may have died while the message was on its way.
  if (!told_.knows(message.serial) || pool == nullptr) return;
  Worker& worker = *pool->find(message.serial);
  switch (message.type) {
    case Type::ready:
      return worker_answered(worker, message.count);
    case Type::requests:
      return pool->add_requests(worker, message.count);
    case Type::worker_idle:
      if (told_.leave(message.serial)) observer_.worker_idle(*pool, worker);
      return;
    default:
      // Said again, it changes nothing; a bridge in other hands says it as often as it can.
      if (worker.state() >= WorkerState::discarded) return;
      replacements_.ask(message.serial, reason_of(message));
      return replace_workers();
  }
}

// Only the bridge that was told to ask is believed: one that drains, in other hands, would pass
// workers off as good ones.
void Generation::worker_answered(Worker& worker, std::uint32_t capacity) {
  if (!told_.asks(worker.serial()) || worker.state() != WorkerState::starting) return;
  worker.set_capacity(capacity);
  worker.handle(WorkerEvent::answered);
}

void Generation::replace_workers() {
  while (const auto wanted = replacements_.next(Clock::now())) replace(*wanted);
  if (replacements_.empty()) return;
  replace_timer_.expires_after(replacements_.wait(Clock::now()));
  replace_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self && !error) self->replace_workers();
  });
}

void Generation::replace(const Replacements::Wanted& wanted) {
  AppPool* const pool = pool_of(wanted.serial);
  if (pool == nullptr) return;
  Worker& worker = *pool->find(wanted.serial);
  if (worker.state() >= WorkerState::discarded) return;
  context_.logs.daemon().warning(pool->name() + ": worker is replaced",
                                 {{"app", pool->name()},
                                  {"worker", worker.name()},
                                  {"pid", worker.pid()},
                                  {"reason", wanted.reason}});
  worker.handle(WorkerEvent::replace);
}

void Generation::server_report(const Message& message) {
  GenerationApp& app = apps_[message.app];  // canaries stand behind the apps
  const std::size_t addresses = app.pool->settings().connect.size();
  if (addresses == 0) return bridge_->distrust("a server of an app that has none");
  app.servers.note(message, addresses);
}

void Generation::bridge_distrusted() {
  observer_.bridge_distrusted(*this);
}

void Generation::load_report(const Message& message) {
  GenerationApp& app = apps_[message.app];
  app.load = {message.busy, message.count, std::chrono::milliseconds(message.delay_ms)};
  observer_.load_changed(*app.pool);
}

void Generation::list_report(const Message& message, std::string_view answer) {
  auto requests = channel::decode_list(answer);
  if (!requests) return bridge_->distrust("a list that cannot be read");
  observer_.requests_listed(*this, message.serial, message.count, std::move(*requests));
}

// The bridge is no more.
void Generation::forget_reports() {
  for (GenerationApp& app : apps_) {
    app.servers = {};
    if (std::exchange(app.load, {}) != PoolLoad{}) observer_.load_changed(*app.pool);
  }
}

// The board of a bridge that is no more is added up; what it counted as present is gone with it.
void Generation::settle() {
  if (!board_) return;
  tallies_.malformed = saturated_sum(tallies_.malformed, board_->malformed());
  tallies_.contradictory = saturated_sum(tallies_.contradictory, board_->contradictory());
  tallies_.odd_fields = saturated_sum(tallies_.odd_fields, board_->odd_fields());
  for (GenerationApp& app : apps_) {
    AppCounts counts = board_->app(app.index);
    counts.active = counts.queued = 0;
    app.ended += counts;
    if (!app.canary) app.tally->past += counts;  // the tally is that of the app
  }
  board_.reset();
}

AppCounts Generation::counts_of(const AppTally& tally) const {
  const auto found = std::find_if(apps_.begin(), apps_.end(), [&tally](const GenerationApp& app) {
    return app.tally.get() == &tally;
  });
  return board_ && found != apps_.end() ? board_->app(found->index) : AppCounts{};
}

AppCounts Generation::counts_of(const GenerationApp& app) const {
  AppCounts counts = app.ended;
  if (board_) counts += board_->app(app.index);
  return counts;
}

PoolLoad Generation::load_of(const AppPool& pool) const {
  const std::uint32_t place = place_of(pool);
  return place < apps_.size() ? apps_[place].load : PoolLoad{};
}

}  // namespace viaduct::daemon::master
