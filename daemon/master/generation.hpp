#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "daemon/channel/lost_requests.hpp"
#include "daemon/channel/request_list.hpp"
#include "daemon/config/settings.hpp"
#include "daemon/master/app_pool.hpp"
#include "daemon/master/backoff.hpp"
#include "daemon/master/board.hpp"
#include "daemon/master/bridge_logs.hpp"
#include "daemon/master/bridge_process.hpp"
#include "daemon/master/context.hpp"
#include "daemon/master/generation_lifecycle.hpp"
#include "daemon/master/listener_set.hpp"
#include "daemon/master/replacements.hpp"
#include "daemon/master/server_board.hpp"
#include "daemon/master/tallies.hpp"
#include "daemon/master/told_workers.hpp"

namespace viaduct::daemon::master {

class Generation;

/// Called from the event loop.
class GenerationObserver {
 public:
  virtual void bridge_started(Generation& generation) = 0;
  virtual void worker_idle(AppPool& pool, Worker& worker) = 0;
  virtual void load_changed(AppPool& pool) = 0;
  /// Its bridge ended and the generation is gone. To be destroyed later, not within this call.
  virtual void generation_gone(Generation& generation, int status) = 0;
  /// The answer to worker_dead().
  virtual void requests_lost(std::uint64_t worker, channel::LostRequests requests) = 0;
  /// The answer to ask_requests().
  virtual void requests_listed(Generation& generation, std::uint64_t question,
                               std::uint32_t omitted,
                               std::vector<channel::ListedRequest> requests) = 0;
  /// It is superseded, and its bridge has closed its listeners.
  virtual void bridge_left(Generation& generation) = 0;
  /// Its bridge broke a rule of the channel and is killed.
  virtual void bridge_distrusted(Generation& generation) = 0;
  /// Its bridge, that process, has ended, or is killed since it could not be set up; called before
  /// the other consequences.
  virtual void bridge_reaped(pid_t pid) = 0;
  /// Its bridge ended; a new one follows by itself.
  virtual void bridge_lost(Generation& generation) = 0;

 protected:
  ~GenerationObserver() = default;
};

/// One app as a generation sees it.
struct GenerationApp {
  std::shared_ptr<AppPool> pool;
  PoolLoad load{};  ///< as this generation's bridge reported it last
  /// Whether this generation's bridge asks new workers the first question. While two generations
  /// share a pool only one does; the other learns of a worker when it is ready.
  bool asks = true;
  std::shared_ptr<AppTally> tally;
  AppCounts ended{};  ///< counted by this generation's bridges that have ended; without gauges
  std::uint32_t index = 0;  ///< of the app in the settings, by which the bridge knows it
  bool canary = false;      ///< the pool is that of the app's canaries
  ServerBoard servers{};    ///< as this generation's bridge sees those that others run
};

/// One configuration with its bridge. The pools may be shared with other generations, in the order
/// of config::pools_of(settings).
class Generation final : public std::enable_shared_from_this<Generation>, private BridgeObserver {
 public:
  /// Throws StartError, which names the key, when log files cannot be had, and std::exception when
  /// memory cannot.
  Generation(Context& context, unsigned number, config::Settings settings, ListenerSet listeners,
             std::vector<GenerationApp> apps, Tallies& tallies, GenerationObserver& observer);

  /// Starts the bridge; throws std::system_error.
  void start();

  /// Before start(): the listening sockets are another daemon's until take_listeners(), and their
  /// options are not known here. Nothing of them is changed.
  void borrow_listeners() { owns_listeners_ = false; }
  void take_listeners() { owns_listeners_ = true; }

  /// Events that cannot happen are logged and ignored.
  void handle(GenerationEvent event);

  /// A socket through which the predecessor's idle front connections come.
  void adopt(UniqueFd socket);

  /// To be called before GenerationEvent::superseded: where idle front connections go.
  void set_successor(UniqueFd socket) { successor_ = std::move(socket); }

  /// From now on this generation's bridge asks the new workers of all its apps.
  void begin_asking();
  /// From now on that one's bridge asks the new workers of the pools that both use.
  void leave_asking_to(const Generation& successor);

  /// Opens the log files of its bridge anew. Returns, and logs, what went wrong.
  std::vector<std::string> reopen_logs();

  /// Logs how many lines of its bridge's logs were lost because files did not take them, at most
  /// every ten seconds. To be called at times.
  void report_lost_lines();

  // What happens to the workers of a pool; nothing when this generation does not use the pool.
  void worker_added(AppPool& pool, Worker& worker);
  void worker_ready(AppPool& pool, Worker& worker);
  void worker_draining(AppPool& pool, Worker& worker);
  /// Returns whether the bridge knew it and, with `report`, will say which requests it had with it.
  bool worker_dead(AppPool& pool, Worker& worker, int status, bool report);
  void pool_changed(AppPool& pool);

  /// Asks the bridge for the requests of an app, the oldest with their `stacks` if so wished; false
  /// when there is no bridge, no such app, or too much that this bridge has not answered.
  bool ask_requests(const std::string& app, bool stacks, std::uint64_t question);

  unsigned number() const { return number_; }
  GenerationState state() const { return state_; }
  bool has_started_bridge() const { return bridge_started_; }
  bool has_bridge() const { return bridge_ && bridge_->alive(); }
  pid_t bridge_pid() const { return bridge_ ? bridge_->pid() : -1; }
  bool uses(const AppPool& pool) const;
  /// Whether its bridge may have requests with this worker.
  bool is_busy_with(const Worker& worker) const;
  /// What its bridge has reported of a pool; nothing when it does not use the pool.
  PoolLoad load_of(const AppPool& pool) const;
  /// Numbers of its bridge up to now, those in `tallies` left out; zero without a bridge.
  std::uint64_t progress() const { return board_ ? board_->progress() : 0; }
  std::uint64_t malformed() const { return board_ ? board_->malformed() : 0; }
  std::uint64_t contradictory() const { return board_ ? board_->contradictory() : 0; }
  std::uint64_t odd_fields() const { return board_ ? board_->odd_fields() : 0; }
  std::int64_t connections() const { return board_ ? board_->connections() : 0; }
  /// The sandbox, as its bridge says.
  SandboxState sandbox() const { return board_ ? board_->sandbox() : SandboxState(); }
  AppCounts counts_of(const AppTally& tally) const;
  /// Numbers of all its bridges for one of its apps().
  AppCounts counts_of(const GenerationApp& app) const;
  const config::Settings& settings() const { return settings_; }
  ListenerSet& listeners() { return listeners_; }
  const std::vector<GenerationApp>& apps() const { return apps_; }
  void kill_bridge();
  /// Ends the bridge since it broke a rule, as BridgeProcess::distrust().
  void distrust_bridge(std::string_view why);
  /// The master's own copies: nobody can connect once the bridge has closed its own.
  void close_listeners() { listeners_ = {}; }
  /// Puts right and logs where a bridge has ended the listening of a socket, for every generation
  /// that has it. Returns whether an abstract name is to be had only once every bridge has ended.
  bool repair_listeners();
  /// Gives the bridge the sockets that have taken the place of those it has.
  void renew_listeners();

 private:
  void bridge_says(const channel::Message& message, std::string answer) override;
  void bridge_distrusted() override;
  void bridge_ended(pid_t pid, int status) override;

  void try_crash_dirs() const;
  void act(GenerationAction action);
  void launch_bridge();
  void start_bridge();
  void restart_bridge();
  void expire_drain();
  void arm(std::chrono::milliseconds delay, void (Generation::*action)());
  void introduce();
  void send(channel::Type type, UniqueFd descriptor = {});
  /// Has the bridge accept, from former sockets first.
  void accept();
  void give_listener(std::size_t index, UniqueFd socket);
  void send_worker(channel::Type type, std::uint32_t place, Worker& worker, bool shared);
  void send_state(std::uint32_t place);
  void tell(std::uint32_t place, Worker& worker, bool shared);
  void worker_report(const channel::Message& message);
  AppPool* pool_of(std::uint64_t serial) const;  // null: it has no worker of that serial
  void worker_answered(Worker& worker, std::uint32_t capacity);
  void replace_workers();
  void replace(const Replacements::Wanted& wanted);
  void server_report(const channel::Message& message);
  void load_report(const channel::Message& message);
  void list_report(const channel::Message& message, std::string_view answer);
  void forget_reports();
  void settle();
  std::uint32_t place_of(const AppPool& pool) const;  // in apps_; its size: not used here

  Context& context_;
  unsigned number_;
  config::Settings settings_;
  ListenerSet listeners_;
  std::vector<GenerationApp> apps_;
  Tallies& tallies_;
  GenerationObserver& observer_;
  BridgeLogs bridge_logs_;
  std::chrono::steady_clock::time_point lost_lines_due_{};
  UniqueFd settings_memory_;
  UniqueFd successor_;
  std::unique_ptr<Board> board_;  // of the bridge; null: there is none
  std::shared_ptr<BridgeProcess> bridge_;
  bool bridge_started_ = false;
  bool owns_listeners_ = true;
  std::chrono::steady_clock::time_point bridge_since_;
  unsigned bridge_failures_ = 0;
  int last_status_ = 0;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer replace_timer_;
  Replacements replacements_;
  GenerationState state_ = GenerationState::preparing;
  std::vector<std::uint32_t> given_;  // ListenerSocket::replaced() of those the bridge has
  ToldWorkers told_;
};

}  // namespace viaduct::daemon::master
