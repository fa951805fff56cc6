#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/channel/scoreboard.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/load.hpp"
#include "daemon/master/app_pool.hpp"
#include "daemon/master/children.hpp"
#include "daemon/master/context.hpp"
#include "daemon/master/generation.hpp"
#include "daemon/master/inherited_sockets.hpp"
#include "daemon/master/log_set.hpp"
#include "daemon/master/notifier.hpp"
#include "daemon/master/reload_plan.hpp"
#include "daemon/master/runtime_directory.hpp"

namespace viaduct::daemon::master {

/// What the configuration asks for cannot be had: no log file, no runtime_dir. ListenerError says
/// the same of sockets.
class StartError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The master process: owns sockets, generations and workers, and decides by signals.
///
///   SIGTERM, SIGINT  drain up to timeouts.stop, then end; a second one: at once
///   SIGQUIT          end at once
///   SIGHUP           reload
///   SIGUSR1          reopen the logs
///   SIGUSR2          not supported yet
///
/// Single-threaded. One object per process: it reaps every child.
class Master final : private PoolObserver, private GenerationObserver {
 public:
  /// Opens logs, directories and listeners and starts the first generation. Throws StartError,
  /// ListenerError, or another std::exception when the system has no more processes or descriptors.
  Master(config::Settings settings, InheritedSockets inherited);
  ~Master();

  /// Runs until everything has ended. Returns the exit status.
  int run();

 private:
  // Reload.
  void reload();
  void load_and_prepare();
  void prepare(config::Settings settings);
  std::vector<GenerationApp> make_apps(const config::Settings& settings, const ReloadPlan& plan);
  void check_candidate();
  void promote();
  void hand_over(Generation& from, Generation& to);
  void update_kept_pools();
  void discard(const std::string& why);
  void reload_failed(const std::string& why);
  void reload_finished();

  // The end.
  void stop();
  void stop_now();
  void retire_all();
  void check_stopped();

  // Signals, service manager.
  void wait_for_signal();
  void on_signal(int number);
  void reopen_logs();
  void watch_bridge();
  void report_status();
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
  void worker_idle(AppPool& pool, Worker& worker) override;
  void load_changed(AppPool& pool) override;
  void generation_gone(Generation& generation, int status) override;

  void start_first(config::Settings settings);
  void release_unused_pools();
  void sweep();
  bool is_used(const AppPool& pool) const;
  void check_idle_workers();
  void later(void (Master::*work)());
  std::shared_ptr<Generation> make_generation(config::Settings settings, ListenerSet listeners,
                                              std::vector<GenerationApp> apps);
  std::size_t draining() const;

  boost::asio::io_context io_{1};
  LogSet logs_;
  Children children_;
  boost::asio::signal_set signals_;
  RuntimeDirectory runtime_;
  UniqueFd null_;
  UniqueFd scoreboard_;
  Scoreboard& scores_;
  Context context_;
  InheritedSockets inherited_;
  Notifier notifier_;
  boost::asio::steady_timer watchdog_;
  boost::asio::steady_timer stop_timer_;
  std::uint64_t watched_progress_ = 0;
  std::chrono::steady_clock::time_point progress_seen_;
  unsigned last_generation_ = 0;

  std::vector<std::shared_ptr<AppPool>> pools_;           // all that have processes
  std::vector<std::shared_ptr<Generation>> generations_;  // all that are not gone
  std::shared_ptr<Generation> current_;
  std::shared_ptr<Generation> candidate_;
  ReloadPlan plan_;
  std::chrono::steady_clock::time_point reload_since_;
  bool reload_wanted_ = false;
  bool ready_reported_ = false;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point stop_deadline_;
};

}  // namespace viaduct::daemon::master
