#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/load.hpp"
#include "daemon/master/app_pool.hpp"
#include "daemon/master/cgroup_tree.hpp"
#include "daemon/master/children.hpp"
#include "daemon/master/context.hpp"
#include "daemon/master/control/api.hpp"
#include "daemon/master/crash_desk.hpp"
#include "daemon/master/descriptor_limit.hpp"
#include "daemon/master/ended_bridges.hpp"
#include "daemon/master/foreign_bridges.hpp"
#include "daemon/master/generation.hpp"
#include "daemon/master/inherited_sockets.hpp"
#include "daemon/master/listener_store.hpp"
#include "daemon/master/log_copier.hpp"
#include "daemon/master/log_set.hpp"
#include "daemon/master/notifier.hpp"
#include "daemon/master/predecessor.hpp"
#include "daemon/master/probation.hpp"
#include "daemon/master/reload_plan.hpp"
#include "daemon/master/reload_queue.hpp"
#include "daemon/master/reload_verdict.hpp"
#include "daemon/master/remains.hpp"
#include "daemon/master/request_queries.hpp"
#include "daemon/master/runtime_directory.hpp"
#include "daemon/master/successor.hpp"
#include "daemon/master/tallies.hpp"

namespace viaduct::daemon::master {

namespace control {
class Server;
}

/// Where a daemon stands that replaces another.
enum class Takeover {
  none,       ///< it does not, or the other has let go
  preparing,  ///< its apps are being started; everything still is the other's
  announced,  ///< it serves, and waits for the other to let go
};

/// The master process: owns sockets, generations and workers, and decides by signals.
///
///   SIGTERM, SIGINT  drain up to timeouts.stop, then end; a second one: at once. Where the service
///                    manager stores descriptors, listeners stay, since it may be a restart
///   SIGQUIT          end at once
///   SIGHUP           reload
///   SIGUSR1          reopen the logs
///   SIGUSR2          binary upgrade: starts the program anew, which takes over when it is ready
///
/// and by the commands that come through the control socket.
///
/// Single-threaded. One object per process: it reaps every child.
class Master final : private PoolObserver,
                     private GenerationObserver,
                     private SuccessorObserver,
                     private control::Commands {
 public:
  /// Opens logs, directories and listeners and starts the first generation. Throws StartError,
  /// or another std::exception when the system has no more processes or descriptors.
  Master(config::Settings settings, InheritedSockets inherited, Invocation invocation,
         std::optional<Predecessor> predecessor);
  ~Master();

  /// Runs until everything has ended. Returns the exit status.
  int run();

 private:
  // Reload.
  void reload();
  void want_reload(ReloadOrder order, const Done& done);
  void next_reload();
  void load_and_prepare();
  std::optional<config::Settings> read_configuration();
  std::optional<config::Settings> keep_configuration();
  config::LoadResult select_sections(config::LoadResult read);
  void prepare(config::Settings settings, const ListenerSet& previous);
  std::vector<GenerationApp> make_apps(const config::Settings& settings, const ReloadPlan& plan);
  void check_candidate();
  std::vector<PoolProgress> candidate_progress() const;
  void leave_out(const std::vector<AppFailure>& failures);
  void promote();
  void report_reload(const std::string& beside);
  void hand_over(Generation& from, Generation& to);
  void update_pools(const Generation& old);
  std::shared_ptr<AppPool> prepared_pool(const std::string& name) const;
  void discard(const std::string& why);
  void reload_failed(const std::string& why);
  void reload_finished();
  void answer_reload();
  void answer_once_left(const Generation& old);
  void answer_left(unsigned generation);
  void answer_all_left();

  AppCounts counts_of(const AppTally& tally) const;

  // Probation.
  void note_outcomes(const Generation& old);
  void begin_probation(const Generation& old);
  void watch_probation();
  void check_probation();
  void end_probation();
  void go_back(const std::string& why);
  std::shared_ptr<AppPool> former_pool(const std::string& name) const;
  bool is_kept_for_probation(const AppPool& pool) const;

  // Binary upgrade, as the old one.
  void upgrade();
  void successor_bridge(BridgeHandle bridge) override;
  void successor_ready() override;
  void successor_failed(const std::string& why) override;
  void upgrade_failed(const std::string& why);
  std::vector<BridgeHandle> bridge_handles() const;
  void answer_upgrade(control::Outcome::Kind kind, const std::string& text);

  // Binary upgrade, as the new one.
  void check_takeover();
  void give_up(const std::string& why);
  void taken_over(Inheritance inheritance);
  void open_control(std::optional<ListenerSocket> taken);

  // The end.
  void stop();
  void leave_listeners();
  void stop_now();
  void retire_all();
  void check_stopped();
  void end();

  // Listeners that a bridge has shut down, and sockets whose file is gone.
  void watch_listeners();
  void check_listeners();
  void log_reopened(const std::vector<std::string>& listeners) const;
  std::vector<std::string> renew_places();
  std::vector<std::string> cut_off_pools() const;
  void note_failed_again(const Generation& former);
  bool failed_again(const std::string& pool) const;
  void renew_control();

  // Signals, service manager.
  void wait_for_signal();
  void on_signal(int number);
  std::vector<std::string> reopen_logs();
  void watch_bridge();
  void report_status();
  void tell_sandbox(const SandboxState& state);
  std::string status_text() const;

  // PoolObserver
  void worker_added(AppPool& pool, Worker& worker) override;
  void worker_ready(AppPool& pool, Worker& worker) override;
  void worker_draining(AppPool& pool, Worker& worker) override;
  void worker_dead(AppPool& pool, Worker& worker, int status) override;
  void pool_changed(AppPool& pool) override;
  void pool_empty(AppPool& pool) override;

  // GenerationObserver
  void bridge_started(Generation& generation) override;
  void bridge_lost(Generation& generation) override;
  void bridge_reaped(pid_t pid) override;
  void bridge_left(Generation& generation) override;
  void bridge_distrusted(Generation& generation) override;
  void worker_idle(AppPool& pool, Worker& worker) override;
  void load_changed(AppPool& pool) override;
  void requests_lost(std::uint64_t worker, channel::LostRequests requests) override;
  void requests_listed(Generation& generation, std::uint64_t question, std::uint32_t omitted,
                       std::vector<channel::ListedRequest> requests) override;
  void generation_gone(Generation& generation, int status) override;

  // control::Commands
  bool is_bridge(pid_t pid) const override;
  void bridge_called(pid_t pid) override;
  control::Status status() const override;
  bool has_app(const std::string& app) const override;
  void list_requests(const std::string& app, bool stacks,
                     std::function<void(std::vector<control::RequestList>)> done) override;
  void note(const control::Peer& peer, std::string_view command) override;
  void reload(bool keep_going, Done done) override;
  void reload_app(const std::string& app, Done done) override;
  void restart(const std::string& app, Done done) override;
  void scale(const std::string& app, std::uint32_t workers, Done done) override;
  void drain(Done done) override;
  void stop(Done done) override;
  void reopen(Done done) override;
  void upgrade(Done done) override;

  // A pool on its way to another number of workers.
  struct Scaling {
    std::shared_ptr<AppPool> pool;
    std::uint32_t workers = 0;
    unsigned failed_starts = 0;  // of the pool, before
    Done done;
  };
  std::shared_ptr<AppPool> current_pool(const std::string& app) const;
  void check_scalings();
  std::optional<control::Outcome> outcome_of(const Scaling& scaling) const;

  void start_first(config::Settings settings);
  void enable_cgroups(const config::Settings& settings);
  void release_unused_pools();
  void sweep();
  bool is_used(const AppPool& pool) const;
  void check_idle_workers();
  void later(void (Master::*work)());
  std::shared_ptr<Generation> make_generation(config::Settings settings, ListenerSet listeners,
                                              std::vector<GenerationApp> apps);
  std::size_t draining() const;

  boost::asio::io_context io_{1};
  DescriptorLimit descriptors_;
  LogSet logs_;
  LogCopier copier_;
  Children children_;
  boost::asio::signal_set signals_;
  RuntimeDirectory runtime_;
  CgroupTree cgroups_;
  Remains remains_;
  UniqueFd null_;
  Tallies tallies_;
  Context context_;
  InheritedSockets inherited_;
  Invocation invocation_;
  std::optional<Predecessor> predecessor_;  // until it has let go
  Takeover takeover_ = Takeover::none;
  std::shared_ptr<Successor> successor_;
  Notifier notifier_;
  ListenerStore store_;
  boost::asio::steady_timer watchdog_;
  boost::asio::steady_timer stop_timer_;
  boost::asio::steady_timer listener_timer_;
  RequestQueries queries_;
  CrashDesk crashes_;
  control::Api api_;
  std::unique_ptr<control::Server> control_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::uint64_t watched_progress_ = 0;
  std::chrono::steady_clock::time_point progress_seen_;
  unsigned last_generation_ = 0;
  EndedBridges ended_bridges_;
  ForeignBridges foreign_bridges_;    // of former viaductds
  ForeignBridges successor_bridges_;  // of one that is to follow
  bool sandbox_told_ = false;         // what the sandbox of bridges lacks is said once
  std::uint64_t violations_ = 0;      // bridges that broke a rule of their channel

  std::vector<std::shared_ptr<AppPool>> pools_;           // all that have processes
  std::vector<std::shared_ptr<Generation>> generations_;  // all that are not gone
  std::shared_ptr<Generation> current_;
  std::shared_ptr<Generation> candidate_;

  ReloadQueue reloads_;
  ReloadQueue::Request this_reload_;
  control::Outcome reload_outcome_;
  std::vector<AppFailure> failures_;  // of the apps that this reload leaves out
  AppsBehind behind_;

  // Reloads that are over but for the former bridge: it may still accept.
  struct Leaving {
    unsigned generation = 0;  // the former one
    std::vector<Done> waiting;
    control::Outcome outcome;
  };
  std::vector<Leaving> leaving_;
  boost::asio::steady_timer leave_timer_;
  std::string last_reload_;
  ReloadPlan plan_;
  std::chrono::steady_clock::time_point reload_since_;

  // An app with new workers, and the ones it had.
  struct Watched {
    std::shared_ptr<AppPool> former;
    std::uint32_t place = 0;  // of the app in the current generation
    Outcomes before;          // of the former workers
    Outcomes base;            // counted when the new ones took over
    std::chrono::steady_clock::time_point until;
  };
  struct Probation {
    unsigned generation = 0;  // the former one, with its settings
    config::Settings settings;
    std::vector<Watched> watched;
  };
  std::optional<Probation> probation_;
  boost::asio::steady_timer probation_timer_;
  // Requests to a pool while its generations were current, and how they ended: a bridge that
  // drains, and may be in other hands, adds nothing.
  std::map<const AppPool*, Outcomes> past_outcomes_;
  std::vector<std::shared_ptr<AppPool>> former_pools_;    // of a candidate that goes back
  std::vector<std::shared_ptr<AppPool>> prepared_pools_;  // of one that was left for another
  std::string going_back_;                                // why; "": that is not happening
  // Pools that this reload was to start anew, since they are cut off, and could not.
  std::vector<std::string> failed_again_;
  bool upgrade_wanted_ = false;
  bool ready_reported_ = false;
  bool stopping_ = false;
  bool may_come_back_ = false;  // stopped, but perhaps to be started again
  std::string why_stopping_ = "the daemon stops";
  int exit_status_ = 0;
  std::vector<Done> waiting_for_upgrade_;
  std::vector<Done> waiting_for_end_;
  std::vector<Scaling> scalings_;
  std::chrono::steady_clock::time_point stop_deadline_;
};

}  // namespace viaduct::daemon::master
