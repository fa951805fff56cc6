// The binary upgrade (SIGUSR2): from this program to the one that is installed now.
#include <signal.h>

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "daemon/channel/channel.hpp"
#include "daemon/master/control/server.hpp"
#include "daemon/master/master.hpp"
#include "daemon/master/timeouts.hpp"

namespace viaduct::daemon::master {

namespace {

using Kind = control::Outcome::Kind;

constexpr int kNotReady = 70;

// The new one fails by itself when an app does not become ready in its time; this is for one that
// hangs.
std::chrono::milliseconds patience(const config::Settings& settings) {
  constexpr std::chrono::seconds kStartUp{30};
  std::chrono::milliseconds longest{0};
  for (const config::AppSettings& app : settings.apps) {
    if (app.timeouts.start.count() == 0) return {};
    longest = std::max(longest, app.timeouts.start);
  }
  return longest + kStartUp;
}

}  // namespace

// ---- the old one

void Master::upgrade() {
  upgrade_wanted_ = candidate_ != nullptr;
  if (stopping_) return answer_upgrade(Kind::refused, "upgrade: the daemon stops");
  if (upgrade_wanted_) return;
  if (successor_ || takeover_ != Takeover::none) {
    return logs_.daemon().warning("upgrade: one is under way already");
  }
  if (!control_) open_control({});
  if (!control_) return answer_upgrade(Kind::refused, "upgrade: there is no control socket");
  successor_ = std::make_shared<Successor>(context_, static_cast<SuccessorObserver&>(*this));
  try {
    successor_->start(invocation_, current_->listeners(), control_->socket(),
                      patience(current_->settings()));
  } catch (const std::exception& error) {
    return upgrade_failed(error.what());
  }
  logs_.daemon().info("upgrade: started",
                      {{"program", invocation_.executable}, {"pid", successor_->pid()}});
}

void Master::successor_bridge(BridgeHandle bridge) {
  successor_bridges_.add(std::move(bridge));
}

void Master::successor_ready() {
  if (candidate_) discard("the new viaductd has taken over");
  UniqueFd theirs;
  try {
    const channel::Pair pair = channel::make_pair();
    current_->set_successor(UniqueFd(pair.first));
    theirs.reset(pair.second);
  } catch (const std::exception& error) {
    logs_.daemon().error("idle connections are not handed over", {{"error", error.what()}});
  }
  const std::string pid = std::to_string(successor_->pid());
  const std::string text = "upgrade: viaductd " + pid + " serves; open requests are finished here";
  logs_.daemon().info(text);
  // Before the new one says READY=1, so that the service manager believes it.
  notifier_.main_process(successor_->pid());
  control_->leave();
  successor_->serve(std::move(theirs), bridge_handles());
  stopping_ = true;
  why_stopping_ = "viaductd " + pid + " has taken over";
  if (reloads_.has_whole()) {
    // The configuration may have changed since the new one read it.
    ::kill(successor_->pid(), SIGHUP);
    why_stopping_ += ", and reloads now";
  }
  end_probation();
  answer_reload();
  answer_upgrade(Kind::done, text);
  stop_deadline_ = std::chrono::steady_clock::now() + longest_stop(current_->settings());
  current_->close_listeners();
  current_->handle(GenerationEvent::superseded);
}

// All that may have connected to the control socket, or may yet.
std::vector<BridgeHandle> Master::bridge_handles() const {
  std::vector<BridgeHandle> handles = foreign_bridges_.handles();
  for (const auto& generation : generations_) {
    if (generation->has_bridge()) handles.push_back(handle_of_child(generation->bridge_pid()));
  }
  for (const pid_t pid : ended_bridges_.recent(EndedBridges::Clock::now())) {
    handles.push_back({pid, {}});
  }
  return handles;
}

void Master::successor_failed(const std::string& why) {
  upgrade_failed("the new viaductd " + why);
}

void Master::upgrade_failed(const std::string& why) {
  // It may be what called.
  boost::asio::post(io_, [over = std::exchange(successor_, nullptr)] {});
  const std::string text = "upgrade failed: " + why + "; this one goes on";
  answer_upgrade(Kind::refused, text);
  if (stopping_) return;
  logs_.daemon().error(text, {{"program", invocation_.executable}});
  later(&Master::next_reload);
}

void Master::answer_upgrade(Kind kind, const std::string& text) {
  for (const Done& done : std::exchange(waiting_for_upgrade_, {})) done({kind, text, {}, {}});
}

// ---- the new one

void Master::check_takeover() {
  bool ready = current_->has_started_bridge();
  for (const GenerationApp& app : current_->apps()) {
    if (app.pool->has_failed()) {
      return give_up(app.pool->name() + ": a worker did not become ready (" + app.pool->failure() +
                     ")");
    }
    ready = ready && app.pool->all_ready();
  }
  if (!ready) return;
  takeover_ = Takeover::announced;
  current_->handle(GenerationEvent::prepared);
  predecessor_->report_ready(
      io_, [this](Inheritance inheritance) { taken_over(std::move(inheritance)); });
}

void Master::give_up(const std::string& why) {
  logs_.daemon().error("upgrade: not taking over: " + why);
  exit_status_ = kNotReady;
  stop_now();
}

void Master::taken_over(Inheritance inheritance) {
  for (BridgeHandle& bridge : inheritance.bridges) foreign_bridges_.add(std::move(bridge));
  if (inheritance.connections) current_->adopt(std::move(inheritance.connections));
  if (!stopping_) predecessor_->listeners().unlink_except(current_->listeners());
  open_control(predecessor_->take_control());
  predecessor_.reset();
  takeover_ = Takeover::none;
  current_->take_listeners();
  if (!stopping_) store_.update(current_->listeners(), inherited_);
  try {
    current_->listeners().apply(current_->settings().listeners);
  } catch (const std::exception& error) {
    logs_.daemon().error(error.what());
  }
  logs_.daemon().info("upgrade: taken over");
  report_status();
  later(&Master::next_reload);
}

void Master::open_control(std::optional<ListenerSocket> taken) {
  if (stopping_) return;
  const config::ControlSettings& settings = current_->settings().control;
  try {
    if (taken && taken->in_place() && taken->address() == settings.address) {
      control_ = std::make_unique<control::Server>(io_, settings, api_, std::move(*taken));
      return;
    }
    if (taken) taken->unlink();
    control_ = std::make_unique<control::Server>(io_, settings, api_);
  } catch (const std::exception& error) {
    logs_.daemon().error(error.what());
  }
}

}  // namespace viaduct::daemon::master
