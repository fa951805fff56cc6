// From one generation to the next.
#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include "daemon/channel/channel.hpp"
#include "daemon/config/canary.hpp"
#include "daemon/config/keep_fixed.hpp"
#include "daemon/config/load.hpp"
#include "daemon/master/master.hpp"

namespace viaduct::daemon::master {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxDraining = 2;
// For a bridge that drains to close its listeners, before a reload is reported all the same.
constexpr std::chrono::seconds kLeave{5};

bool is_kept(const ReloadPlan& plan, const std::string& app) {
  const AppChange* change = find_change(plan, app);
  return change != nullptr && change->kind == AppChange::Kind::kept;
}

std::size_t size_of(const Generation& generation, const std::string& app) {
  const auto& apps = generation.apps();
  const auto found = std::find_if(apps.begin(), apps.end(), [&](const GenerationApp& candidate) {
    return candidate.pool->name() == app;
  });
  return found == apps.end() ? 0 : found->pool->size();
}

}  // namespace

// Requests that come while one is worked on, or while too many generations drain, become one.
void Master::reload() {
  const bool first = !std::exchange(reload_wanted_, !stopping_);
  if (stopping_) return;
  if (successor_ || takeover_ != Takeover::none) {
    if (first) logs_.daemon().info("reload: waits for the upgrade that is under way");
    return;
  }
  if (candidate_ || draining() >= kMaxDraining) return;
  reload_wanted_ = false;
  this_reload_ = std::exchange(next_reload_, {});
  reload_outcome_ = {};
  load_and_prepare();
}

void Master::want_reload(const std::string& forced_app, Done done) {
  if (!forced_app.empty()) next_reload_.forced_apps.push_back(forced_app);
  next_reload_.waiting.push_back(std::move(done));
  if (stopping_) return answer_reload();
  reload();
}

void Master::load_and_prepare() {
  end_probation();
  notifier_.reloading();
  reload_since_ = Clock::now();
  logs_.daemon().info("reload", {{"file", current_->settings().file}});
  const config::Settings& running = current_->settings();
  config::LoadResult result =
      config::keep_fixed(config::load(running.file, config::Purpose::reload), running);
  for (const auto& warning : result.warnings) {
    reload_outcome_.warnings.push_back(format(warning));
    logs_.daemon().warning(reload_outcome_.warnings.back());
  }
  for (const auto& error : result.errors) {
    reload_outcome_.kind = control::Outcome::Kind::invalid;
    reload_outcome_.errors.push_back(format(error));
    logs_.daemon().error(reload_outcome_.errors.back());
  }
  if (!result.settings) {
    reload_failed("the configuration has errors");
    // Who asked for it is shown all of them; for the status one has to do.
    last_reload_ += "; " + reload_outcome_.errors.front();
    return;
  }
  try {
    prepare(std::move(*result.settings));
  } catch (const std::exception& error) {
    reload_failed(error.what());
  }
}

void Master::prepare(config::Settings settings) {
  plan_ = plan_reload(current_->settings(), settings, this_reload_.forced_apps);
  for (AppChange& change : plan_) {
    if (former_pool(change.app)) change = {change.app, AppChange::Kind::went_back, {}};
  }
  ListenerSet listeners = ListenerSet::open(settings.listeners, inherited_, current_->listeners());
  ListenerSet opened = listeners;
  const std::size_t pools_before = pools_.size();
  try {
    auto apps = make_apps(settings, plan_);
    candidate_ = make_generation(std::move(settings), std::move(listeners), std::move(apps));
    candidate_->start();
  } catch (...) {
    if (candidate_) std::erase(generations_, candidate_);
    candidate_.reset();
    pools_.resize(pools_before);
    opened.unlink_except(current_->listeners());
    throw;
  }
  for (std::size_t i = pools_before; i < pools_.size(); ++i) {
    pools_[i]->start(size_of(*current_, pools_[i]->name()));
  }
  later(&Master::check_candidate);
}

std::vector<GenerationApp> Master::make_apps(const config::Settings& settings,
                                             const ReloadPlan& plan) {
  enable_cgroups(settings);
  std::vector<GenerationApp> apps;
  for (const config::AppSettings& app : config::pools_of(settings)) {
    const std::string name = config::pool_name(app);
    GenerationApp made;
    made.canary = app.is_canary;
    made.index = static_cast<std::uint32_t>(find_app(settings, app.name) - settings.apps.data());
    made.tally = tallies_.take(app.name);
    made.pool = former_pool(name);
    if (is_kept(plan, name)) {
      made.pool = current_pool(name);
      made.asks = false;
    } else if (made.pool == nullptr) {
      made.pool = std::make_shared<AppPool>(context_, app, static_cast<PoolObserver&>(*this));
      pools_.push_back(made.pool);
    }
    apps.push_back(std::move(made));
  }
  return apps;
}

void Master::check_candidate() {
  if (!candidate_ || stopping_) return;
  bool ready = candidate_->has_started_bridge();
  for (const GenerationApp& app : candidate_->apps()) {
    if (current_->uses(*app.pool)) continue;
    if (former_pool(app.pool->name()) == app.pool) {
      if (app.pool->state() == channel::AppState::failing) {
        return discard(app.pool->name() + ": its former workers are gone");
      }
      ready = ready && app.pool->state() == channel::AppState::serving;
      continue;
    }
    if (app.pool->has_failed()) {
      return discard(app.pool->name() + ": a worker did not become ready (" + app.pool->failure() +
                     ")");
    }
    ready = ready && app.pool->all_ready();
  }
  if (ready) promote();
}

void Master::promote() {
  const auto old = std::exchange(current_, std::exchange(candidate_, nullptr));
  try {
    current_->listeners().apply(current_->settings().listeners);
  } catch (const std::exception& error) {
    logs_.daemon().error(error.what());
  }
  old->leave_asking_to(*current_);
  current_->begin_asking();
  current_->handle(GenerationEvent::prepared);
  hand_over(*old, *current_);
  old->handle(GenerationEvent::superseded);
  old->listeners().unlink_except(current_->listeners());
  store_.update(current_->listeners(), inherited_);
  old->close_listeners();
  update_kept_pools();
  begin_probation(*old);
  try {
    logs_.configure(current_->settings());
  } catch (const std::exception& error) {
    logs_.daemon().error("log file cannot be opened", {{"error", error.what()}});
  }
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - reload_since_);
  last_reload_ = summary(current_->number(), plan_, took);
  if (!going_back_.empty()) last_reload_ += "; " + std::exchange(going_back_, {});
  former_pools_.clear();
  logs_.daemon().info(last_reload_);
  reload_outcome_.message = last_reload_;
  answer_once_left(*old);
  reload_finished();
}

// A connection that is made after the answer has to reach the new generation: callers rely on it.
void Master::answer_once_left(const Generation& old) {
  if (!old.has_bridge() || stopping_) return;
  leaving_.push_back({old.number(), std::exchange(this_reload_.waiting, {}), reload_outcome_});
  leave_timer_.expires_after(kLeave);
  leave_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) answer_all_left();
  });
}

void Master::answer_left(unsigned generation) {
  const auto others = std::stable_partition(
      leaving_.begin(), leaving_.end(),
      [generation](const Leaving& leaving) { return leaving.generation == generation; });
  std::vector<Leaving> left(std::make_move_iterator(leaving_.begin()),
                            std::make_move_iterator(others));
  leaving_.erase(leaving_.begin(), others);
  for (const Leaving& leaving : left) {
    for (const Done& done : leaving.waiting) done(leaving.outcome);
  }
}

void Master::answer_all_left() {
  for (const Leaving& leaving : std::exchange(leaving_, {})) {
    for (const Done& done : leaving.waiting) done(leaving.outcome);
  }
}

// The predecessor's front connections that wait between two requests move over.
void Master::hand_over(Generation& from, Generation& to) {
  try {
    const channel::Pair pair = channel::make_pair();
    to.adopt(UniqueFd(pair.first));
    from.set_successor(UniqueFd(pair.second));
  } catch (const std::exception& error) {
    logs_.daemon().error("idle connections are not handed over", {{"error", error.what()}});
  }
}

void Master::update_kept_pools() {
  const auto pools = config::pools_of(current_->settings());
  for (std::size_t i = 0; i < pools.size(); ++i) {
    AppPool& pool = *current_->apps()[i].pool;
    const AppChange* const change = find_change(plan_, pool.name());
    const bool kept = change->kind == AppChange::Kind::kept;
    if (kept || change->kind == AppChange::Kind::went_back) pool.update(pools[i]);
  }
}

void Master::discard(const std::string& why) {
  const auto candidate = std::exchange(candidate_, nullptr);
  candidate->listeners().unlink_except(current_->listeners());
  candidate->close_listeners();
  for (const GenerationApp& app : candidate->apps()) {
    if (!current_->uses(*app.pool)) app.pool->retire();
  }
  if (candidate->state() == GenerationState::preparing) {
    candidate->handle(GenerationEvent::abandoned);
  }
  reload_failed(why);
}

void Master::reload_failed(const std::string& why) {
  going_back_.clear();
  former_pools_.clear();
  last_reload_ =
      "reload failed: " + why + "; generation " + std::to_string(current_->number()) + " goes on";
  logs_.daemon().error(last_reload_);
  if (reload_outcome_.kind == control::Outcome::Kind::done) {
    reload_outcome_.kind = control::Outcome::Kind::refused;
  }
  reload_outcome_.message = last_reload_;
  reload_finished();
}

// Those whose request became part of this reload; once the daemon stops, all.
void Master::answer_reload() {
  for (const Done& done : std::exchange(this_reload_.waiting, {})) done(reload_outcome_);
  if (!stopping_) return;
  answer_all_left();
  for (const Done& done : std::exchange(next_reload_.waiting, {})) {
    done({control::Outcome::Kind::refused, "reload failed: " + why_stopping_, {}, {}});
  }
}

void Master::reload_finished() {
  answer_reload();
  if (stopping_) return;
  check_scalings();
  // Before the first READY=1 that one is still to come.
  if (ready_reported_) notifier_.ready(status_text());
  if (upgrade_wanted_) return later(&Master::upgrade);
  if (reload_wanted_) later(&Master::reload);
}

}  // namespace viaduct::daemon::master
