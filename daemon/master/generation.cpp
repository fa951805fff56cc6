#include "daemon/master/generation.hpp"

#include <algorithm>
#include <exception>
#include <random>
#include <system_error>
#include <utility>

#include "daemon/channel/sealed_memory.hpp"
#include "daemon/config/bridge_settings.hpp"
#include "daemon/log/log.hpp"
#include "daemon/master/crash_directory.hpp"
#include "daemon/master/exit_text.hpp"
#include "daemon/master/log_set.hpp"
#include "daemon/master/start_error.hpp"
#include "daemon/master/timeouts.hpp"

namespace viaduct::daemon::master {

namespace {

using Clock = std::chrono::steady_clock;
using channel::Type;

constexpr BackoffPolicy kBridgeBackoff{};
constexpr std::chrono::milliseconds kBridgeStart{10'000};

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
      bridge_logs_(context.copier, settings_),
      timer_(context.io),
      replace_timer_(context.io) {
  const config::BridgeSettings bridge = config::bridge_settings(settings_);
  settings_memory_ = channel::sealed_memory("viaduct-settings", config::to_json(bridge));
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
  try {
    launch_bridge();
  } catch (...) {
    // It is killed with its object, which hears of no end.
    if (has_bridge()) observer_.bridge_reaped(bridge_->pid());
    throw;
  }
}

void Generation::launch_bridge() {
  if (owns_listeners_) {
    repair_listeners();
    listeners_.reset_options();
  }
  bridge_ = std::make_shared<BridgeProcess>(context_, static_cast<BridgeObserver&>(*this));
  bridge_started_ = false;
  bridge_since_ = Clock::now();
  // A process that the former bridge has left behind may still write to the former board.
  board_ = std::make_unique<Board>(settings_.apps.size());
  const UniqueFd log = bridge_logs_.daemon_pipe();
  bridge_->start({settings_memory_.get(), board_->descriptor(), log.get(), listeners_.descriptors(),
                  settings_.apps.size(), settings_.bridge.identity.account});
  given_.clear();
  for (const auto& socket : listeners_.sockets()) given_.push_back(socket->replaced());
  context_.logs.daemon().info("bridge started", {{"generation", number_}, {"pid", bridge_->pid()}});
  arm(kBridgeStart, &Generation::kill_bridge);
  introduce();
}

bool Generation::repair_listeners() {
  bool held = false;
  for (const ListenerRepair& repair : listeners_.repair()) {
    held = held || repair.held_by_others;
    switch (repair.kind) {
      case ListenerRepair::Kind::listens_again:
        context_.logs.daemon().error("a bridge has ended the listening of a socket, begun again",
                                     {{"listener", repair.listener}});
        break;
      case ListenerRepair::Kind::bound_anew:
        context_.logs.daemon().error("a bridge has ended the listening of a socket, bound anew",
                                     {{"listener", repair.listener}});
        break;
      case ListenerRepair::Kind::failed:
        context_.logs.daemon().error(
            "a bridge has ended the listening of a socket: clients are refused",
            {{"listener", repair.listener}, {"error", repair.failure}});
        break;
    }
  }
  return held;
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
      if (bridge_started_) accept();
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

void Generation::distrust_bridge(std::string_view why) {
  if (bridge_) bridge_->distrust(why);
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
  return has_bridge() && told_.may_use(worker.serial());
}

void Generation::bridge_ended(pid_t pid, int status) {
  observer_.bridge_reaped(pid);
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
