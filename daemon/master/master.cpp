#include "daemon/master/master.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>

#include "daemon/config/descriptor_need.hpp"
#include "daemon/master/control/server.hpp"
#include "daemon/master/timeouts.hpp"
#include "daemon/master/worker_environment.hpp"

namespace viaduct::daemon::master {

namespace {

using Clock = std::chrono::steady_clock;

UniqueFd open_null() {
  UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) throw std::system_error(errno, std::generic_category(), "/dev/null");
  return null;
}

void ignore_signals() {
  for (const int number : {SIGPIPE, SIGXFSZ, SIGWINCH, SIGTTIN, SIGTTOU}) ::signal(number, SIG_IGN);
}

RuntimeDirectory open_runtime(const config::Settings& settings) {
  try {
    return RuntimeDirectory(settings.runtime_dir, settings.bridge.identity.account);
  } catch (const std::exception& error) {
    throw error_of_key(settings, "runtime_dir", error);
  }
}

std::uint64_t descriptors_for(const config::Settings& settings) {
  return std::max(config::descriptor_need(settings).total(),
                  config::descriptors_of_master(settings));
}

std::string failing_apps(const Generation& generation) {
  std::string names;
  for (const GenerationApp& app : generation.apps()) {
    if (!app.pool->failing()) continue;
    names += (names.empty() ? "" : ", ") + app.pool->name();
  }
  return names;
}

}  // namespace

Master::Master(config::Settings settings, InheritedSockets inherited, Invocation invocation,
               std::optional<Predecessor> predecessor)
    : children_(io_),
      signals_(io_, SIGTERM, SIGINT, SIGQUIT),
      runtime_(open_runtime(settings)),
      cgroups_(config::find_cgroup_place()),
      remains_(io_, cgroups_),
      null_(open_null()),
      context_{.io = io_,
               .logs = logs_,
               .copier = copier_,
               .children = children_,
               .runtime = runtime_,
               .cgroups = cgroups_,
               .remains = remains_,
               .environment = own_environment(),
               .null = null_.get(),
               .soft_files = descriptors_.original()},
      inherited_(std::move(inherited)),
      invocation_(std::move(invocation)),
      predecessor_(std::move(predecessor)),
      takeover_(predecessor_ ? Takeover::preparing : Takeover::none),
      store_(notifier_),
      watchdog_(io_),
      stop_timer_(io_),
      listener_timer_(io_),
      queries_(io_),
      crashes_(io_, logs_),
      api_(static_cast<control::Commands&>(*this), {::geteuid(), settings.control.gid}),
      foreign_bridges_(io_, [this](pid_t pid) { bridge_reaped(pid); }),
      successor_bridges_(io_, [this](pid_t pid) { bridge_reaped(pid); }),
      leave_timer_(io_),
      probation_timer_(io_) {
  children_.when_orphan_ends([this] { remains_.look(); });
  cgroups_.remove_abandoned();
  ignore_signals();
  for (const int number : {SIGHUP, SIGUSR1, SIGUSR2}) signals_.add(number);
  logs_.configure(settings);
  if (!predecessor_) {
    control_ = std::make_unique<control::Server>(io_, settings.control, api_);
  }
  start_first(std::move(settings));
}

Master::~Master() = default;

int Master::run() {
  Orphans::adopt();
  wait_for_signal();
  if (notifier_.watchdog_interval()) {
    progress_seen_ = Clock::now();
    watch_bridge();
  }
  watch_listeners();
  io_.run();
  logs_.daemon().info("stopped");
  return exit_status_;
}

void Master::start_first(config::Settings settings) {
  const ListenerSet taken = predecessor_ ? predecessor_->listeners() : ListenerSet();
  if (predecessor_) {
    store_.begin_with(taken);
  } else {
    store_.begin_with(inherited_);
  }
  ListenerSet listeners = ListenerSet::open(settings.listeners, inherited_, taken);
  ListenerSet opened = listeners;
  log_reopened(opened.reopened_since(taken));
  try {
    auto apps = make_apps(settings, plan_reload({}, settings));
    current_ = make_generation(std::move(settings), std::move(listeners), std::move(apps));
    if (predecessor_) current_->borrow_listeners();
    current_->start();
    if (predecessor_) predecessor_->name_bridge(current_->bridge_pid());
  } catch (...) {
    opened.unlink_except(taken);
    throw;
  }
  if (!predecessor_) {
    store_.update(current_->listeners(), inherited_);
    current_->handle(GenerationEvent::prepared);
  }
  for (const auto& pool : pools_) pool->start();
}

// That they can be had was looked at when the configuration was read; whether the kernel agrees
// only shows now.
void Master::enable_cgroups(const config::Settings& settings) {
  for (const config::AppSettings& app : settings.apps) {
    const auto controllers = config::controllers(app.isolation);
    if (controllers.empty()) continue;
    try {
      cgroups_.enable(controllers);
    } catch (const CgroupError& error) {
      const std::string path = "apps." + app.name + ".isolation." + controllers.front();
      const auto origin = settings.origins.find(path);
      const bool written = origin != settings.origins.end();
      const std::string text = format(
          config::Diagnostic{written ? origin->second : config::Origin{}, path, error.what()});
      if (!app.isolation.optional) throw StartError(text);
      logs_.daemon().warning(text);
    }
  }
}

std::shared_ptr<Generation> Master::make_generation(config::Settings settings,
                                                    ListenerSet listeners,
                                                    std::vector<GenerationApp> apps) {
  // A bridge of any of them may have to be started again.
  std::uint64_t need = descriptors_for(settings);
  for (const auto& other : generations_) need = std::max(need, descriptors_for(other->settings()));
  descriptors_.raise(need);
  auto generation = std::make_shared<Generation>(context_, ++last_generation_, std::move(settings),
                                                 std::move(listeners), std::move(apps), tallies_,
                                                 static_cast<GenerationObserver&>(*this));
  generations_.push_back(generation);
  return generation;
}

void Master::later(void (Master::*work)()) {
  boost::asio::post(io_, [this, work] { (this->*work)(); });
}

// ---- signals

void Master::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    on_signal(number);
    wait_for_signal();
  });
}

void Master::on_signal(int number) {
  switch (number) {
    case SIGHUP:
      return reload();
    case SIGUSR1:
      reopen_logs();
      return;
    case SIGUSR2:
      return upgrade();
    case SIGQUIT:
      return stop_now();
    default:
      if (stopping_) return stop_now();
      may_come_back_ = store_.enabled();
      return stop();
  }
}

std::vector<std::string> Master::reopen_logs() {
  std::vector<std::string> failures;
  try {
    logs_.configure(current_->settings());
  } catch (const std::exception& error) {
    logs_.daemon().error("log file cannot be opened", {{"error", error.what()}});
    failures.emplace_back(error.what());
  }
  for (const auto& generation : generations_) {
    const auto more = generation->reopen_logs();
    failures.insert(failures.end(), more.begin(), more.end());
  }
  logs_.daemon().info("logs reopened");
  return failures;
}

// ---- the end

void Master::stop() {
  stopping_ = true;
  const bool preparing = takeover_ == Takeover::preparing;
  if (!preparing) notifier_.stopping();
  logs_.daemon().info("stopping: open requests are served up to timeouts.stop");
  const auto longest = longest_stop(current_->settings());
  stop_deadline_ = Clock::now() + longest;
  if (candidate_) discard("the daemon stops");
  end_probation();
  if (successor_) successor_->kill();
  answer_reload();
  later(&Master::check_scalings);
  leave_listeners();
  current_->close_listeners();
  if (current_->state() == GenerationState::gone) return;
  current_->handle(preparing ? GenerationEvent::abandoned : GenerationEvent::superseded);
}

void Master::leave_listeners() {
  // What was not taken over yet stays its owner's.
  if (takeover_ == Takeover::preparing) {
    return current_->listeners().unlink_except(predecessor_->listeners());
  }
  if (may_come_back_) return;
  current_->listeners().unlink_except(ListenerSet());
  store_.clear();
}

void Master::stop_now() {
  if (!stopping_) stop();
  stop_deadline_ = Clock::now();
  const auto generations = generations_;
  for (const auto& generation : generations) {
    if (generation->state() != GenerationState::gone) generation->handle(GenerationEvent::expired);
  }
  const auto pools = pools_;
  for (const auto& pool : pools) {
    pool->retire();
    pool->kill();
  }
}

// No bridge is left: what the workers have is of no use to anybody. They get what is left of the
// time, but at least a moment to end in order.
void Master::retire_all() {
  constexpr std::chrono::milliseconds kAtLeast{1000};
  const auto pools = pools_;
  for (const auto& pool : pools) pool->retire();
  stop_timer_.expires_at(std::max(stop_deadline_, Clock::now() + kAtLeast));
  stop_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    for (const auto& pool : pools_) pool->kill();
  });
}

void Master::check_stopped() {
  if (!stopping_ || !generations_.empty()) return;
  if (pools_.empty()) {
    end();
  } else {
    retire_all();
  }
}

void Master::end() {
  crashes_.close();
  for (const Done& done : std::exchange(waiting_for_end_, {})) done({.message = "stopped"});
  children_.end_orphans();
  if (!control_) return io_.stop();
  control_->finish([this] { io_.stop(); });
}

// ---- service manager

void Master::watch_bridge() {
  const auto interval = *notifier_.watchdog_interval();
  const auto now = Clock::now();
  const std::uint64_t progress = current_->progress();
  const bool expected = !stopping_ && current_->has_started_bridge();
  if (!expected || progress != watched_progress_) progress_seen_ = now;
  watched_progress_ = progress;
  // The bridge turns its loop at least once a second.
  const Clock::duration patience = std::max<Clock::duration>(interval / 2, std::chrono::seconds(3));
  if (now - progress_seen_ <= patience) {
    notifier_.alive();
  } else {
    logs_.daemon().error("bridge makes no progress, killed", {{"pid", current_->bridge_pid()}});
    current_->kill_bridge();
    progress_seen_ = now;
  }
  watchdog_.expires_after(interval / 3);
  watchdog_.async_wait([this](const boost::system::error_code& error) {
    if (!error) watch_bridge();
  });
}

void Master::report_status() {
  if (stopping_) return;
  if (takeover_ == Takeover::preparing) return check_takeover();
  if (takeover_ == Takeover::announced) return;
  if (ready_reported_) return notifier_.status(status_text());
  const auto& apps = current_->apps();
  const bool settled = std::all_of(apps.begin(), apps.end(),
                                   [](const GenerationApp& app) { return app.pool->settled(); });
  if (!settled || !current_->has_started_bridge()) return;
  ready_reported_ = true;
  logs_.daemon().info("ready", {{"generation", current_->number()}});
  notifier_.ready(status_text());
}

std::string Master::status_text() const {
  const std::string failing = failing_apps(*current_);
  std::string text = "generation " + std::to_string(current_->number()) +
                     (failing.empty() ? ": serving" : ": failing: " + failing);
  for (const auto& [app, why] : behind_) text += "; " + app + " is behind the file";
  return text;
}

}  // namespace viaduct::daemon::master
