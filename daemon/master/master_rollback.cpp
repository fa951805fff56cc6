// What a reload put in force is on probation for a while; its workers may have to go again.
#include <algorithm>
#include <exception>
#include <utility>

#include "daemon/master/master.hpp"

namespace viaduct::daemon::master {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{200};

std::uint64_t difference(std::uint64_t whole, std::uint64_t part) {
  return whole > part ? whole - part : 0;
}

// Canaries are an experiment: what comes of them says nothing about the other workers.
Outcomes outcomes_of(const AppCounts& counts) {
  return {difference(counts.requests, counts.canary_requests),
          difference(counts.errors, counts.canary_errors)};
}

Outcomes since(const Outcomes& base, const Outcomes& now) {
  return {difference(now.requests, base.requests), difference(now.errors, base.errors)};
}

std::string text(const Outcomes& outcomes) {
  return std::to_string(outcomes.errors) + " of " + std::to_string(outcomes.requests);
}

}  // namespace

void Master::note_outcomes(const Generation& old) {
  for (const GenerationApp& app : old.apps()) {
    if (app.canary) continue;
    const Outcomes outcomes = outcomes_of(old.counts_of(app));
    Outcomes& past = past_outcomes_[app.pool.get()];
    past.requests = saturated_sum(past.requests, outcomes.requests);
    past.errors = saturated_sum(past.errors, outcomes.errors);
  }
}

void Master::begin_probation(const Generation& old) {
  note_outcomes(old);
  Probation probation{old.number(), old.settings(), {}};
  const auto& apps = current_->apps();
  for (std::uint32_t place = 0; place < apps.size(); ++place) {
    const GenerationApp& app = apps[place];
    const AppChange* const change = find_change(plan_, app.pool->name());
    const auto time = app.pool->settings().probation;
    if (app.canary || change->kind != AppChange::Kind::restarted || time.count() == 0) continue;
    const auto former = std::find_if(
        old.apps().begin(), old.apps().end(),
        [&](const GenerationApp& candidate) { return candidate.pool->name() == app.pool->name(); });
    probation.watched.push_back({former->pool, place, past_outcomes_[former->pool.get()],
                                 outcomes_of(current_->counts_of(app)), Clock::now() + time});
  }
  if (probation.watched.empty()) return;
  probation_ = std::move(probation);
  watch_probation();
}

void Master::watch_probation() {
  probation_timer_.expires_after(kLook);
  probation_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && probation_) check_probation();
  });
}

void Master::check_probation() {
  // Whoever takes over has workers of its own; where that fails, the next look decides.
  if (successor_ || takeover_ != Takeover::none) return watch_probation();
  for (const Watched& watched : probation_->watched) {
    const GenerationApp& app = current_->apps()[watched.place];
    const Outcomes now = since(watched.base, outcomes_of(current_->counts_of(app)));
    if (fails_probation(watched.before, now)) {
      return go_back(watched.former->name() + ": " + text(now) + " requests failed in generation " +
                     std::to_string(current_->number()) + ", " + text(watched.before) + " before");
    }
  }
  std::erase_if(probation_->watched,
                [now = Clock::now()](const Watched& watched) { return watched.until <= now; });
  if (!probation_->watched.empty()) return watch_probation();
  logs_.daemon().info("probation passed", {{"generation", current_->number()}});
  end_probation();
}

// What is in force stays so.
void Master::end_probation() {
  probation_timer_.cancel();
  probation_.reset();
  later(&Master::release_unused_pools);
}

void Master::go_back(const std::string& why) {
  Probation probation = std::move(*probation_);
  probation_.reset();
  going_back_ = why + "; the configuration of generation " + std::to_string(probation.generation) +
                " is in force again";
  for (const Watched& watched : probation.watched) former_pools_.push_back(watched.former);
  logs_.daemon().error(why + ": going back", {{"generation", current_->number()}});
  reload_since_ = Clock::now();
  this_reload_ = {};
  reload_outcome_ = {};
  failures_.clear();
  failed_again_.clear();
  try {
    prepare(std::move(probation.settings), current_->listeners());
  } catch (const std::exception& error) {
    former_pools_.clear();
    reload_failed(error.what());
  }
}

std::shared_ptr<AppPool> Master::former_pool(const std::string& name) const {
  const auto found = std::find_if(former_pools_.begin(), former_pools_.end(),
                                  [&](const auto& pool) { return pool->name() == name; });
  return found == former_pools_.end() ? nullptr : *found;
}

bool Master::is_kept_for_probation(const AppPool& pool) const {
  const auto is_it = [&pool](const std::shared_ptr<AppPool>& other) {
    return other.get() == &pool;
  };
  if (std::any_of(former_pools_.begin(), former_pools_.end(), is_it)) return true;
  return probation_ && std::any_of(probation_->watched.begin(), probation_->watched.end(),
                                   [&](const Watched& watched) { return is_it(watched.former); });
}

}  // namespace viaduct::daemon::master
