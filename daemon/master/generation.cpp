#include "daemon/master/generation.hpp"

#include <algorithm>
#include <exception>
#include <random>
#include <system_error>
#include <utility>

#include "daemon/channel/sealed_memory.hpp"
#include "daemon/config/bridge_settings.hpp"
#include "daemon/log/log.hpp"
#include "daemon/master/bridge_files.hpp"
#include "daemon/master/crash_directory.hpp"
#include "daemon/master/exit_text.hpp"
#include "daemon/master/log_set.hpp"
#include "daemon/master/timeouts.hpp"

namespace viaduct::daemon::master {

namespace {

using Clock = std::chrono::steady_clock;
using channel::Message;
using channel::Type;

constexpr BackoffPolicy kBridgeBackoff{};
constexpr std::chrono::milliseconds kBridgeStart{10'000};

std::string_view reason_of(const Message& message) {
  return {message.reason.data(), ::strnlen(message.reason.data(), message.reason.size())};
}

}  // namespace

Generation::Generation(Context& context, unsigned number, config::Settings settings,
                       ListenerSet listeners, std::vector<GenerationApp> apps, Tallies& tallies,
                       GenerationObserver& observer)
    : context_(context),
      number_(number),
      settings_(std::move(settings)),
      listeners_(std::move(listeners)),
      apps_(std::move(apps)),
      tallies_(tallies),
      observer_(observer),
      timer_(context.io),
      replace_timer_(context.io) {
  const config::BridgeSettings bridge = config::bridge_settings(settings_);
  settings_memory_ = channel::sealed_memory("viaduct-settings", config::to_json(bridge));
  for (const BridgeLogFile& file : bridge_log_files(settings_)) {
    UniqueFd(log::open_file(file.path));
  }
  try_crash_dirs();
}

// What permissions do not tell, such as a file system that is read-only, shows now and not when a
// report is due.
void Generation::try_crash_dirs() const {
  for (const config::AppSettings& app : settings_.apps) {
    if (app.crash_dir.empty()) continue;
    try {
      const CrashDirectory usable(app.crash_dir);
    } catch (const std::system_error& error) {
      context_.logs.daemon().error(app.name + ": crash reports cannot be written",
                                   {{"app", app.name}, {"error", error.what()}});
    }
  }
}

void Generation::start() {
  bridge_ = std::make_shared<BridgeProcess>(context_, static_cast<BridgeObserver&>(*this));
  bridge_started_ = false;
  bridge_since_ = Clock::now();
  // A process that the former bridge has left behind may still write to the former board.
  board_ = std::make_unique<Board>(settings_.apps.size());
  bridge_->start({settings_memory_.get(), board_->descriptor(), listeners_.descriptors(),
                  settings_.apps.size(), settings_.bridge.identity.account});
  context_.logs.daemon().info("bridge started", {{"generation", number_}, {"pid", bridge_->pid()}});
  arm(kBridgeStart, &Generation::kill_bridge);
  introduce();
}

void Generation::start_bridge() {
  try {
    start();
  } catch (const std::exception& error) {
    context_.logs.daemon().error("cannot start a bridge", {{"error", error.what()}});
    bridge_.reset();
    board_.reset();
    restart_bridge();
  }
}

void Generation::restart_bridge() {
  const auto uptime =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - bridge_since_);
  std::uniform_real_distribution<double> jitter(0.0, 1.0);
  const Restart restart = next_restart(kBridgeBackoff, bridge_failures_, bridge_started_, uptime,
                                       jitter(context_.random));
  bridge_failures_ = restart.failures;
  bridge_started_ = false;
  if (restart.delay.count() == 0) return start_bridge();
  arm(restart.delay, &Generation::start_bridge);
}

void Generation::arm(std::chrono::milliseconds delay, void (Generation::*action)()) {
  timer_.expires_after(delay);
  timer_.async_wait([weak = weak_from_this(), action](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self && !error) (self.get()->*action)();
  });
}

void Generation::handle(GenerationEvent event) {
  const auto step = advance(state_, event);
  if (!step) {
    context_.logs.daemon().error(
        "generation event out of place",
        {{"generation", number_}, {"state", to_string(state_)}, {"event", to_string(event)}});
    return;
  }
  state_ = step->next;
  act(step->action);
}

void Generation::act(GenerationAction action) {
  switch (action) {
    case GenerationAction::none:
      return;
    case GenerationAction::accept:
      if (bridge_started_) send(Type::accept);
      return;
    case GenerationAction::drain:
      send(Type::drain, std::move(successor_));
      if (!has_bridge()) return handle(GenerationEvent::bridge_ended);
      return arm(longest_stop(settings_), &Generation::expire_drain);
    case GenerationAction::kill_bridge:
      timer_.cancel();
      if (!has_bridge()) return handle(GenerationEvent::bridge_ended);
      return kill_bridge();
    case GenerationAction::restart_bridge:
      observer_.bridge_lost(*this);
      return restart_bridge();
    case GenerationAction::release:
      timer_.cancel();
      return observer_.generation_gone(*this, last_status_);
  }
}

void Generation::expire_drain() {
  context_.logs.daemon().warning("connections still open after timeouts.stop are cut",
                                 {{"generation", number_}});
  handle(GenerationEvent::expired);
}

void Generation::kill_bridge() {
  if (bridge_) bridge_->kill();
}

void Generation::adopt(UniqueFd socket) {
  send(Type::adopt, std::move(socket));
}

void Generation::begin_asking() {
  for (std::uint32_t i = 0; i < apps_.size(); ++i) {
    apps_[i].asks = true;
    if (!apps_[i].pool->settings().probe) continue;
    apps_[i].pool->for_each_worker([&](Worker& worker) {
      if (worker.state() == WorkerState::starting) tell(i, worker, false);
    });
  }
}

void Generation::leave_asking_to(const Generation& successor) {
  for (GenerationApp& app : apps_) app.asks = app.asks && !successor.uses(*app.pool);
}

bool Generation::uses(const AppPool& pool) const {
  return place_of(pool) < apps_.size();
}

bool Generation::is_busy_with(const Worker& worker) const {
  const auto told = told_.find(worker.serial());
  return has_bridge() && told != told_.end() && told->second;
}

void Generation::bridge_says(const Message& message, std::string answer) {
  switch (message.type) {
    case Type::started:
      // While it drains, the timer is that of the drain.
      if (state_ == GenerationState::preparing || state_ == GenerationState::active) {
        timer_.cancel();
      }
      bridge_started_ = true;
      if (state_ == GenerationState::active) send(Type::accept);
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
  const auto told = told_.find(message.serial);
  AppPool* const pool = pool_of(message.serial);
  // It may have died while the message was on its way.
  if (told == told_.end() || pool == nullptr) return;
  Worker& worker = *pool->find(message.serial);
  switch (message.type) {
    case Type::ready:
      worker.set_capacity(message.count);
      return worker.handle(WorkerEvent::answered);
    case Type::requests:
      return pool->add_requests(worker, message.count);
    case Type::worker_idle:
      if (std::exchange(told->second, false)) observer_.worker_idle(*pool, worker);
      return;
    default:
      // Said again, it changes nothing; a bridge in other hands says it as often as it can.
      if (worker.state() >= WorkerState::discarded) return;
      replacements_.ask(message.serial, reason_of(message));
      return replace_workers();
  }
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

// Of a bridge that is no more.
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

void Generation::bridge_ended(int status) {
  last_status_ = status;
  const bool expected =
      state_ == GenerationState::ending || (state_ == GenerationState::draining && status == 0);
  const auto level = expected ? log::Level::info : log::Level::error;
  context_.logs.daemon().write(level, "bridge " + exit_text(status), {{"generation", number_}});
  bridge_.reset();
  told_.clear();
  replacements_.clear();
  replace_timer_.cancel();
  forget_reports();
  settle();
  handle(GenerationEvent::bridge_ended);
}

std::uint32_t Generation::place_of(const AppPool& pool) const {
  const auto found = std::find_if(apps_.begin(), apps_.end(), [&](const GenerationApp& app) {
    return app.pool.get() == &pool;
  });
  return static_cast<std::uint32_t>(found - apps_.begin());
}

}  // namespace viaduct::daemon::master
