// From one generation to the next.
#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include "daemon/channel/channel.hpp"
#include "daemon/config/app_sections.hpp"
#include "daemon/config/canary.hpp"
#include "daemon/config/changes.hpp"
#include "daemon/master/master.hpp"
#include "daemon/master/reload_notes.hpp"

namespace viaduct::daemon::master {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxDraining = 2;

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

void Master::reload() {
  want_reload({}, nullptr);
}

void Master::want_reload(ReloadOrder order, const Done& done) {
  const bool first = reloads_.empty();
  if (!reloads_.add(std::move(order), done)) {
    return done({control::Outcome::Kind::refused,
                 "too many orders to reload or restart wait for the one that is under way",
                 {},
                 {}});
  }
  if (stopping_) return answer_reload();
  if (first && (successor_ || takeover_ != Takeover::none)) {
    logs_.daemon().info("reload: waits for the upgrade that is under way");
  }
  next_reload();
}

// Orders wait while one is carried out, or while too many generations drain.
void Master::next_reload() {
  if (reloads_.empty() || stopping_ || successor_ || takeover_ != Takeover::none) return;
  if (candidate_ || draining() >= kMaxDraining) return;
  this_reload_ = reloads_.take();
  reload_outcome_ = {};
  failures_.clear();
  failed_again_.clear();
  load_and_prepare();
}

void Master::load_and_prepare() {
  end_probation();
  notifier_.reloading();
  reload_since_ = Clock::now();
  try {
    auto settings = this_reload_.order.reads_file() ? read_configuration() : keep_configuration();
    if (settings) prepare(std::move(*settings), current_->listeners());
  } catch (const std::exception& error) {
    reload_failed(error.what());
  }
}

void Master::prepare(config::Settings settings, const ListenerSet& previous) {
  std::vector<std::string> forced = renew_places();
  if (this_reload_.order.kind == ReloadOrder::Kind::restart) {
    forced.push_back(this_reload_.order.app);
  }
  plan_ = plan_reload(current_->settings(), settings, forced);
  for (AppChange& change : plan_) {
    if (former_pool(change.app)) change.kind = AppChange::Kind::went_back;
  }
  ListenerSet listeners = ListenerSet::open(settings.listeners, inherited_, previous);
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
      made.pool = prepared_pool(name);
    }
    if (made.pool == nullptr) {
      made.pool = std::make_shared<AppPool>(context_, app, static_cast<PoolObserver&>(*this));
      pools_.push_back(made.pool);
      const bool restart = current_ && this_reload_.order.kind == ReloadOrder::Kind::restart;
      if (restart) made.pool->scale_like(*current_pool(name));
    }
    apps.push_back(std::move(made));
  }
  return apps;
}

void Master::check_candidate() {
  if (!candidate_ || stopping_) return;
  Verdict verdict =
      judge(candidate_progress(), candidate_->has_started_bridge(), this_reload_.order.kind);
  switch (verdict.kind) {
    case Verdict::Kind::wait:
      return;
    case Verdict::Kind::refuse:
      return discard(verdict.failures.front().why);
    case Verdict::Kind::leave_out:
      return leave_out(verdict.failures);
    case Verdict::Kind::promote:
      std::move(verdict.failures.begin(), verdict.failures.end(), std::back_inserter(failures_));
      return promote();
  }
}

// Of the pools that the generation in force does not have.
std::vector<PoolProgress> Master::candidate_progress() const {
  std::vector<PoolProgress> pools;
  for (const GenerationApp& app : candidate_->apps()) {
    const AppPool& pool = *app.pool;
    if (current_->uses(pool)) continue;
    const std::string& name = candidate_->settings().apps[app.index].name;
    const bool added = config::find_app(current_->settings(), name) == nullptr;
    PoolProgress progress{pool.name(), name, added};
    if (former_pool(pool.name()) == app.pool) {
      progress.ready = pool.state() == channel::AppState::serving;
      if (pool.state() == channel::AppState::failing) {
        progress.failure = "its former workers are gone";
      }
    } else {
      progress.ready = pool.all_ready();
      if (pool.has_failed()) {
        progress.failure = "a worker did not become ready (" + pool.failure() + ")";
      }
    }
    pools.push_back(std::move(progress));
  }
  return pools;
}

// A bridge's configuration never changes: another generation takes the candidate's place, with the
// workers that became ready for it.
void Master::leave_out(const std::vector<AppFailure>& failures) {
  const auto former = std::exchange(candidate_, nullptr);
  note_failed_again(*former);
  config::Settings settings = former->settings();
  for (const AppFailure& failure : failures) {
    config::put_app(settings, current_->settings(), failure.app);
    failures_.push_back(failure);
  }
  for (const GenerationApp& app : former->apps()) {
    if (current_->uses(*app.pool)) continue;
    const std::string& name = former->settings().apps[app.index].name;
    const bool failed =
        std::any_of(failures.begin(), failures.end(),
                    [&name](const AppFailure& failure) { return failure.app == name; });
    if (failed) {
      app.pool->retire();
    } else {
      prepared_pools_.push_back(app.pool);
    }
  }
  try {
    prepare(std::move(settings), former->listeners());
  } catch (const std::exception& error) {
    for (const auto& pool : prepared_pools_) pool->retire();
    former->listeners().unlink_except(current_->listeners());
    reload_failed(error.what());
  }
  prepared_pools_.clear();
  former->close_listeners();
  if (former->state() == GenerationState::preparing) former->handle(GenerationEvent::abandoned);
}

std::shared_ptr<AppPool> Master::prepared_pool(const std::string& name) const {
  const auto found = std::find_if(prepared_pools_.begin(), prepared_pools_.end(),
                                  [&name](const auto& pool) { return pool->name() == name; });
  return found == prepared_pools_.end() ? nullptr : *found;
}

void Master::promote() {
  const auto old = std::exchange(current_, std::exchange(candidate_, nullptr));
  try {
    current_->listeners().apply(current_->settings().listeners);
  } catch (const std::exception& error) {
    logs_.daemon().error(error.what());
  }
  const auto reopened = current_->listeners().reopened_since(old->listeners());
  log_reopened(reopened);
  old->leave_asking_to(*current_);
  current_->begin_asking();
  current_->handle(GenerationEvent::prepared);
  hand_over(*old, *current_);
  old->handle(GenerationEvent::superseded);
  old->listeners().unlink_except(current_->listeners());
  store_.update(current_->listeners(), inherited_);
  old->close_listeners();
  note_failures(plan_, failures_);
  note_cut_off(plan_, failed_again_);
  update_pools(*old);
  begin_probation(*old);
  try {
    logs_.configure(current_->settings());
  } catch (const std::exception& error) {
    logs_.daemon().error("log file cannot be opened", {{"error", error.what()}});
  }
  report_reload(notes(config::changes(old->settings(), current_->settings()), plan_, reopened));
  answer_once_left(*old);
  reload_finished();
}

void Master::report_reload(const std::string& beside) {
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - reload_since_);
  behind_ = next_behind(std::move(behind_), this_reload_.order, plan_, going_back_);
  last_reload_ = summary(current_->number(), plan_, took);
  last_reload_ += beside;
  if (!going_back_.empty()) last_reload_ += "; " + std::exchange(going_back_, {});
  former_pools_.clear();
  logs_.daemon().info(last_reload_);
  reload_outcome_.message = last_reload_;
  reload_outcome_.errors = failure_lines(plan_);
  if (reload_outcome_.errors.empty()) return;
  reload_outcome_.kind = control::Outcome::Kind::partial;
  for (const std::string& line : reload_outcome_.errors) {
    logs_.daemon().error("reload incomplete: " + line);
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

// Settings that no worker has to be replaced for, and what becomes of numbers set by hand. The
// pool of an app that is not concerned keeps such a number.
void Master::update_pools(const Generation& old) {
  const auto pools = config::pools_of(current_->settings());
  for (std::size_t i = 0; i < pools.size(); ++i) {
    AppPool& pool = *current_->apps()[i].pool;
    const auto change = std::find_if(plan_.begin(), plan_.end(), [&pool](const AppChange& each) {
      return each.app == pool.name();
    });
    const bool applied = this_reload_.order.applies(pools[i].name) && change->failure.empty();
    const auto former = std::find_if(old.apps().begin(), old.apps().end(), [&](const auto& app) {
      return app.pool->name() == pool.name();
    });
    const bool scaled = former != old.apps().end() && former->pool->scaled();
    const config::Workers before = scaled ? former->pool->range() : pools[i].workers;
    const bool kept = change->kind == AppChange::Kind::kept;
    if (applied && (kept || change->kind == AppChange::Kind::went_back)) pool.update(pools[i]);
    const config::Workers& after = pool.range();
    if (before.min != after.min || before.max != after.max) change->undone = {before, after};
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
  failures_.clear();
  const std::string what = this_reload_.order.reads_file() ? "reload" : "restart";
  last_reload_ =
      what + " failed: " + why + "; generation " + std::to_string(current_->number()) + " goes on";
  logs_.daemon().error(last_reload_);
  if (reload_outcome_.kind == control::Outcome::Kind::done) {
    reload_outcome_.kind = control::Outcome::Kind::refused;
  }
  reload_outcome_.message = last_reload_;
  // Who asked for it is shown all errors; for the status one has to do.
  if (!reload_outcome_.errors.empty()) last_reload_ += "; " + reload_outcome_.errors.front();
  reload_finished();
}

void Master::reload_finished() {
  answer_reload();
  if (stopping_) return;
  check_scalings();
  // Before the first READY=1 that one is still to come.
  if (ready_reported_) notifier_.ready(status_text());
  if (upgrade_wanted_) return later(&Master::upgrade);
  if (!reloads_.empty()) later(&Master::next_reload);
}

}  // namespace viaduct::daemon::master
