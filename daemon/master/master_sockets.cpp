// Sockets that stop to let clients in: shut down by a bridge, or their files removed by somebody.
#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <vector>

#include "daemon/master/control/server.hpp"
#include "daemon/master/master.hpp"

namespace viaduct::daemon::master {

void Master::watch_listeners() {
  constexpr std::chrono::milliseconds kLook{500};
  listener_timer_.expires_after(kLook);
  listener_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    check_listeners();
    for (const auto& generation : generations_) generation->report_lost_lines();
    watch_listeners();
  });
}

void Master::check_listeners() {
  // Until it has let go, the sockets are the predecessor's; a successor knows those of its start.
  if (stopping_ || successor_ || takeover_ != Takeover::none) return;
  bool held = false;
  for (const auto& generation : generations_) held = generation->repair_listeners() || held;
  for (const auto& generation : generations_) generation->renew_listeners();
  // A bridge that drains may set them again.
  current_->listeners().reset_options();
  store_.update(current_->listeners(), inherited_);
  if (!held) return;
  for (const auto& generation : generations_) generation->kill_bridge();
  foreign_bridges_.kill_all();
}

void Master::log_reopened(const std::vector<std::string>& listeners) const {
  for (const std::string& listener : listeners) {
    logs_.daemon().warning("the file of a socket was gone or replaced, opened anew",
                           {{"listener", listener}});
  }
}

// The files of sockets may have been removed, or the directory that they were in. Returns pools
// whose workers cannot be reached any more.
std::vector<std::string> Master::renew_places() {
  const bool lost = runtime_.renew();
  if (lost) {
    logs_.daemon().warning("the runtime directory was gone, made anew; all apps are restarted",
                           {{"directory", runtime_.path()}});
  }
  renew_control();
  auto cut_off = cut_off_pools();
  std::erase_if(cut_off, [this](const std::string& pool) { return failed_again(pool); });
  for (const std::string& pool : cut_off) {
    if (lost || prepared_pool(pool)) continue;
    logs_.daemon().warning("the socket of a worker was gone, the app is restarted",
                           {{"app", pool}});
  }
  return cut_off;
}

std::vector<std::string> Master::cut_off_pools() const {
  std::vector<std::string> pools;
  for (const auto& app : current_->apps()) {
    if (!app.pool->reachable()) pools.push_back(app.pool->name());
  }
  return pools;
}

// A pool whose settings have changed gets another try, with its former settings.
void Master::note_failed_again(const Generation& former) {
  for (const GenerationApp& app : former.apps()) {
    const AppChange* const change = find_change(plan_, app.pool->name());
    const bool same_settings =
        change->kind == AppChange::Kind::restarted && change->reasons.empty();
    if (same_settings && app.pool->has_failed()) failed_again_.push_back(app.pool->name());
  }
}

bool Master::failed_again(const std::string& pool) const {
  return std::find(failed_again_.begin(), failed_again_.end(), pool) != failed_again_.end();
}

void Master::renew_control() {
  if (!control_) return open_control({});
  try {
    if (control_->renew(current_->settings().control)) {
      logs_.daemon().warning("the file of the control socket was gone, made anew");
    }
  } catch (const std::exception& error) {
    reload_outcome_.warnings.emplace_back(error.what());
    logs_.daemon().error(error.what());
  }
}

}  // namespace viaduct::daemon::master
