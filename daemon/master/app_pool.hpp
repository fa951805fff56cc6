#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "daemon/channel/message.hpp"
#include "daemon/config/canary.hpp"
#include "daemon/config/settings.hpp"
#include "daemon/master/backoff.hpp"
#include "daemon/master/context.hpp"
#include "daemon/master/worker.hpp"

namespace viaduct::daemon::master {

class AppPool;

/// Who tells the bridges. Called from the event loop.
class PoolObserver {
 public:
  virtual void worker_added(AppPool& pool, Worker& worker) = 0;
  virtual void worker_ready(AppPool& pool, Worker& worker) = 0;
  virtual void worker_draining(AppPool& pool, Worker& worker) = 0;
  virtual void worker_dead(AppPool& pool, Worker& worker, int status) = 0;
  virtual void pool_changed(AppPool& pool) = 0;  ///< its state or settled() changed
  virtual void pool_empty(AppPool& pool) = 0;    ///< after retire(): the last worker is gone

 protected:
  ~PoolObserver() = default;
};

/// The state of an app with so many ready workers and workers on their way.
channel::AppState app_state(std::size_t ready, std::size_t starting);

/// One worker as a status page shows it.
struct WorkerView {
  std::uint64_t serial = 0;
  unsigned slot = 0;  ///< the number in "shop/1"; a worker and its successor share it for a while
  pid_t pid = -1;
  WorkerState state = WorkerState::starting;
  std::chrono::milliseconds uptime{0};
  std::uint64_t requests = 0;  ///< given to it so far
  std::uint64_t memory = 0;    ///< bytes, as memory_of() counts
};

/// Keeps `workers` processes of one app alive until it is retired.
class AppPool final : public std::enable_shared_from_this<AppPool>, private WorkerOwner {
 public:
  AppPool(Context& context, config::AppSettings app, PoolObserver& observer);

  void start();

  /// Settings that do not concern the process itself: time-outs, log, number of workers.
  void update(const config::AppSettings& app);

  /// Sets the number of workers by hand, until the next update(). Returns what is wrong with the
  /// number, or nothing when it is in force.
  std::optional<std::string> scale(std::uint32_t count);

  /// All workers that have a process, oldest first.
  std::vector<WorkerView> workers() const;
  /// How many are wanted at the moment.
  std::size_t size() const { return slots_.size(); }

  /// No new workers; those that run are drained and stopped.
  void retire();

  /// SIGKILL to all that is left.
  void kill();

  /// "shop", or "shop/canary".
  std::string name() const { return config::pool_name(app_); }
  const config::AppSettings& settings() const { return app_; }
  channel::AppState state() const { return state_; }
  std::uint32_t retry_after() const;               ///< seconds until the next attempt, at least 1
  bool all_ready() const;                          ///< every place has a ready worker
  bool has_failed() const { return has_failed_; }  ///< a worker ended before it was ready
  unsigned failed_starts() const { return failed_starts_; }  ///< how often that has happened
  /// Why a worker ended last that should not have: "shop/1: killed by SIGSEGV"; "" when none did.
  const std::string& failure() const { return failure_; }
  bool settled() const;  ///< is ready or has failed once: the daemon need not wait for it
  bool empty() const { return workers_.empty(); }
  bool finished() const { return retired_ && workers_.empty(); }
  Worker* find(std::uint64_t serial) const;

  template <class Function>
  void for_each_worker(Function function) {
    const auto workers = workers_;
    for (const auto& [serial, worker] : workers) function(*worker);
  }

 private:
  struct Slot {
    explicit Slot(boost::asio::io_context& io) : restart(io) {}
    std::uint64_t serial = 0;  // of its worker; 0: none
    unsigned failures = 0;
    boost::asio::steady_timer restart;
  };

  void worker_ready(Worker& worker) override;
  void worker_draining(Worker& worker) override;
  void worker_place_free(Worker& worker) override;
  void worker_gone(Worker& worker, int status) override;

  void resize(std::size_t count);
  void launch(std::size_t index);
  void schedule(std::size_t index, const Worker& predecessor);
  void restart_due(std::size_t index);
  void refresh();

  Context& context_;
  config::AppSettings app_;
  PoolObserver& observer_;
  BackoffPolicy backoff_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::map<std::uint64_t, std::shared_ptr<Worker>> workers_;
  channel::AppState state_ = channel::AppState::starting;
  bool has_failed_ = false;
  bool retired_ = false;
  unsigned failed_starts_ = 0;
  std::string failure_;
};

}  // namespace viaduct::daemon::master
