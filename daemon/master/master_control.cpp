// What the control socket may ask of the master.
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/config/canary.hpp"
#include "daemon/log/escape.hpp"
#include "daemon/master/master.hpp"
#include "daemon/master/sandbox_report.hpp"

namespace viaduct::daemon::master {

namespace {

using control::Outcome;

control::ListenerStatus listener_status(const config::ListenerSettings& listener) {
  control::ListenerStatus status;
  status.protocol = config::to_string(listener.protocol);
  status.address = log::escape_invalid_utf8(config::format(listener.address));
  for (const config::RouteSettings& route : listener.routes) {
    const bool known =
        std::find(status.apps.begin(), status.apps.end(), route.app) != status.apps.end();
    if (!known) status.apps.push_back(route.app);
  }
  return status;
}

void add_workers(control::AppStatus& status, const AppPool& pool) {
  for (const WorkerView& worker : pool.workers()) {
    status.workers.push_back({pool.name() + "/" + std::to_string(worker.slot), worker.pid,
                              std::string(to_string(worker.state)), worker.uptime, worker.requests,
                              worker.memory});
  }
}

control::AppStatus pool_status(const AppPool& pool) {
  control::AppStatus status;
  status.name = pool.name();
  status.state = to_string(pool.state());
  status.failure = log::escape_invalid_utf8(pool.failure());
  status.wanted = pool.size();
  add_workers(status, pool);
  return status;
}

std::vector<control::ServerStatus> server_status(const GenerationApp& app) {
  std::vector<control::ServerStatus> servers;
  for (const ServerBoard::Server& server : app.servers.servers()) {
    servers.push_back({log::escape_controls(server.name), server.up ? "up" : "down", server.active,
                       server.requests, log::escape_controls(server.failure)});
  }
  if (!servers.empty()) return servers;
  // The bridge has not said anything yet.
  for (const config::Address& server : app.pool->settings().connect) {
    servers.push_back({log::escape_invalid_utf8(config::format(server)), "unknown", 0, 0, ""});
  }
  return servers;
}

control::AppStatus app_status(const GenerationApp& app, const AppCounts& counts) {
  control::AppStatus status = pool_status(*app.pool);
  status.servers = server_status(app);
  status.active = counts.active;
  status.queued = counts.queued;
  status.requests = counts.requests;
  status.errors = counts.errors;
  status.failed = counts.failed;
  status.aborted = counts.aborted;
  status.retried = counts.retried;
  status.timeouts = counts.timeouts;
  return status;
}

control::AppStatus canary_status(const AppPool& pool, const config::AppSettings& app,
                                 const AppCounts& counts) {
  control::AppStatus status = pool_status(pool);
  status.requests = counts.canary_requests;
  status.errors = counts.canary_errors;
  status.canary = {app.name, config::format_share(app.canary->share), app.canary->header};
  return status;
}

// Workers of older generations, besides those of the current one.
void add_leaving(std::vector<control::AppStatus>& apps, const AppPool& pool) {
  auto app = std::find_if(apps.begin(), apps.end(),
                          [&](const auto& known) { return known.name == pool.name(); });
  if (app == apps.end()) {
    control::AppStatus leaving;
    leaving.name = pool.name();
    leaving.state = "leaving";
    app = apps.insert(apps.end(), std::move(leaving));
  }
  add_workers(*app, pool);
}

}  // namespace

bool Master::is_bridge(pid_t pid) const {
  return ended_bridges_.contains(pid, EndedBridges::Clock::now()) ||
         foreign_bridges_.contains(pid) || successor_bridges_.contains(pid) ||
         std::any_of(generations_.begin(), generations_.end(), [pid](const auto& generation) {
           return generation->has_bridge() && generation->bridge_pid() == pid;
         });
}

void Master::bridge_called(pid_t pid) {
  constexpr std::string_view kWhy = "a connection to the control socket";
  for (const auto& generation : generations_) {
    if (generation->has_bridge() && generation->bridge_pid() == pid) {
      generation->distrust_bridge(kWhy);
    }
  }
  if (!foreign_bridges_.kill(pid) && !successor_bridges_.kill(pid)) return;
  ++violations_;
  logs_.daemon().error("bridge breaks the rules of its channel, killed",
                       {{"pid", pid}, {"reason", std::string(kWhy)}, {"of", "another viaductd"}});
}

control::Status Master::status() const {
  control::Status status;
  status.version = VIADUCT_VERSION;
  status.pid = ::getpid();
  status.uptime_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - started_);
  status.state = stopping_ ? "stopping" : ready_reported_ ? "serving" : "starting";
  status.file = log::escape_invalid_utf8(current_->settings().file);
  status.last_reload = log::escape_invalid_utf8(last_reload_);
  status.malformed = tallies_.malformed;
  for (const auto& generation : generations_) {
    status.connections = saturated_sum(status.connections, generation->connections());
    status.malformed = saturated_sum(status.malformed, generation->malformed());
  }
  status.contradictory = tallies_.contradictory;
  status.odd_fields = tallies_.odd_fields;
  for (const auto& generation : generations_) {
    status.contradictory = saturated_sum(status.contradictory, generation->contradictory());
    status.odd_fields = saturated_sum(status.odd_fields, generation->odd_fields());
  }
  status.violations = violations_;
  status.sandbox = sandbox_parts(current_->sandbox());
  for (const auto& [part, why] : sandbox_lacks(current_->sandbox())) {
    status.sandbox_lacks.push_back(std::string(part).append(": ").append(why));
  }
  for (const auto& generation : generations_) {
    const pid_t bridge = generation->has_bridge() ? generation->bridge_pid() : 0;
    status.generations.push_back(
        {generation->number(), std::string(to_string(generation->state())), bridge});
  }
  const auto& sockets = current_->listeners().sockets();
  for (std::size_t i = 0; i < current_->settings().listeners.size(); ++i) {
    status.listeners.push_back(listener_status(current_->settings().listeners[i]));
    // They are let go when the daemon stops.
    if (i >= sockets.size()) continue;
    status.listeners.back().failure = log::escape_invalid_utf8(sockets[i]->failure());
  }
  for (const GenerationApp& app : current_->apps()) {
    const AppCounts counts = counts_of(*app.tally);
    status.apps.push_back(
        app.canary ? canary_status(*app.pool, current_->settings().apps[app.index], counts)
                   : app_status(app, counts));
  }
  for (control::AppStatus& app : status.apps) {
    const auto behind = behind_.find(app.name);
    if (behind != behind_.end()) app.behind = log::escape_invalid_utf8(behind->second);
  }
  for (const auto& pool : pools_) {
    if (!current_->uses(*pool) && !pool->empty()) add_leaving(status.apps, *pool);
  }
  return status;
}

AppCounts Master::counts_of(const AppTally& tally) const {
  AppCounts counts = tally.past;
  for (const auto& generation : generations_) counts += generation->counts_of(tally);
  return counts;
}

bool Master::has_app(const std::string& app) const {
  return config::find_app(current_->settings(), app) != nullptr;
}

void Master::list_requests(const std::string& app, bool stacks,
                           std::function<void(std::vector<control::RequestList>)> done) {
  std::vector<unsigned> asked;
  for (const auto& generation : generations_) {
    if (generation->ask_requests(app, stacks, queries_.next())) {
      asked.push_back(generation->number());
    }
  }
  queries_.begin(asked, std::move(done));
}

void Master::note(const control::Peer& peer, std::string_view command) {
  logs_.daemon().info("command " + std::string(command), {{"uid", peer.uid}, {"pid", peer.pid}});
}

void Master::reload(bool keep_going, Done done) {
  using Kind = ReloadOrder::Kind;
  want_reload({keep_going ? Kind::keep_going : Kind::whole}, done);
}

void Master::reload_app(const std::string& app, Done done) {
  want_reload({ReloadOrder::Kind::app, app}, done);
}

void Master::restart(const std::string& app, Done done) {
  if (current_pool(app)->connects()) {
    return done({Outcome::Kind::refused, app + ": others run its servers (connect)", {}, {}});
  }
  want_reload({ReloadOrder::Kind::restart, app}, done);
}

void Master::scale(const std::string& app, std::uint32_t workers, Done done) {
  const auto pool = current_pool(app);
  const unsigned failed_starts = pool->failed_starts();
  if (const auto wrong = pool->scale(workers)) return done({Outcome::Kind::refused, *wrong});
  scalings_.push_back({pool, pool->range().min, failed_starts, std::move(done)});
  later(&Master::check_scalings);
}

std::shared_ptr<AppPool> Master::current_pool(const std::string& app) const {
  for (const GenerationApp& candidate : current_->apps()) {
    if (candidate.pool->name() == app) return candidate.pool;
  }
  return nullptr;
}

void Master::check_scalings() {
  std::vector<std::pair<Done, Outcome>> over;
  std::erase_if(scalings_, [&](const Scaling& scaling) {
    auto outcome = outcome_of(scaling);
    if (outcome) over.emplace_back(scaling.done, std::move(*outcome));
    return outcome.has_value();
  });
  for (const auto& [done, outcome] : over) done(outcome);
}

std::optional<Outcome> Master::outcome_of(const Scaling& scaling) const {
  const AppPool& pool = *scaling.pool;
  const bool fixed = pool.range().min == pool.range().max;
  const std::string count = pool.name() + ": " + (fixed ? "" : "at least ") +
                            std::to_string(scaling.workers) +
                            (scaling.workers == 1 ? " worker" : " workers");
  const bool replaced = stopping_ || !current_->uses(pool);
  if (replaced || pool.range().min != scaling.workers) {
    return Outcome{Outcome::Kind::refused, count + ": another command came in between"};
  }
  if (pool.all_ready()) return Outcome{.message = count};
  if (pool.failed_starts() == scaling.failed_starts) return std::nullopt;
  return Outcome{Outcome::Kind::refused,
                 count + " are wanted, and one did not become ready (" + pool.failure() + ")"};
}

void Master::drain(Done done) {
  waiting_for_end_.push_back(std::move(done));
  if (!stopping_) stop();
}

void Master::stop(Done done) {
  waiting_for_end_.push_back(std::move(done));
  stop_now();
}

void Master::reopen(Done done) {
  const auto failures = reopen_logs();
  if (failures.empty()) return done({.message = "logs reopened"});
  std::string why = "not every log could be opened";
  for (const auto& failure : failures) why += "; " + failure;
  done({Outcome::Kind::refused, std::move(why), {}, {}});
}

void Master::upgrade(Done done) {
  if (successor_ || takeover_ != Takeover::none) {
    return done({Outcome::Kind::refused, "upgrade: one is under way already", {}, {}});
  }
  waiting_for_upgrade_.push_back(std::move(done));
  upgrade();
}

}  // namespace viaduct::daemon::master
