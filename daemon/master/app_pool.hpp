#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "daemon/channel/message.hpp"
#include "daemon/config/app_settings.hpp"
#include "daemon/config/canary.hpp"
#include "daemon/master/backoff.hpp"
#include "daemon/master/context.hpp"
#include "daemon/master/place.hpp"
#include "daemon/master/pool_size.hpp"
#include "daemon/master/recycle.hpp"
#include "daemon/master/token_bucket.hpp"
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

/// The state of an app with so many places, ready workers and workers on their way.
channel::AppState app_state(std::size_t places, std::size_t ready, std::size_t starting);

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

/// Keeps the processes of one app alive until it is retired: always as many as the load calls for
/// within `workers`, each replaced once it has reached one of `limits`.
class AppPool final : public std::enable_shared_from_this<AppPool>, private WorkerOwner {
 public:
  AppPool(Context& context, config::AppSettings app, PoolObserver& observer);

  /// With `size` workers as far as `workers` allows: those that a predecessor under load has.
  void start(std::size_t size = 0);

  /// Settings that do not concern the process itself: time-outs, limits, log, number of workers.
  void update(const config::AppSettings& app);

  /// What the bridges report; the number of workers follows it.
  void set_load(const PoolLoad& load);
  const PoolLoad& load() const { return load_; }

  /// A bridge has given a worker so many requests more.
  void add_requests(Worker& worker, std::uint64_t count);

  /// Sets the number of workers by hand, until the next update(): a fixed number, 1 to
  /// config::kMaxWorkers, or where `workers` is a range its lower end, cut to `max`; 0 only where
  /// `min` is 0. Returns what is wrong with the number, or nothing when it is in force.
  std::optional<std::string> scale(std::uint32_t count);

  /// Whether scale() has set another number than the settings have.
  bool scaled() const { return range_.min != app_.workers.min || range_.max != app_.workers.max; }
  /// Before start(): as many workers as scale() has given a pool with the same settings.
  void scale_like(const AppPool& former) { range_ = former.range_; }

  /// All workers that have a process, oldest first.
  std::vector<WorkerView> workers() const;
  /// How many are wanted at the moment.
  std::size_t size() const { return slots_.size(); }
  /// Between how many it may be: as configured, or as scaled by hand.
  const config::Workers& range() const { return range_; }

  /// No new workers; those that run are drained and stopped.
  void retire();

  /// SIGKILL to all that is left.
  void kill();

  /// "shop", or "shop/canary".
  std::string name() const { return config::pool_name(app_); }
  const config::AppSettings& settings() const { return app_; }
  /// Whether others run its servers: there are no processes to be looked after, ever.
  bool connects() const { return !app_.connect.empty(); }
  channel::AppState state() const { return state_; }
  /// No worker serves, and the last attempt to start one failed, though another may be under way.
  bool failing() const;
  std::uint32_t retry_after() const;  ///< seconds until the next attempt, at least 1
  bool all_ready() const;             ///< every place has a ready worker
  /// Whether bridges can connect to each worker that serves, or is to: its socket file is there.
  bool reachable() const;
  bool has_failed() const { return has_failed_; }            ///< a worker ended before it was ready
  unsigned failed_starts() const { return failed_starts_; }  ///< how often that has happened
  /// Why a worker ended last that should not have: "shop/1: killed by SIGSEGV"; "" when none did.
  /// Of one that was not ready yet, with the last line that it wrote to its standard error.
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
    Slot(boost::asio::io_context& io, unsigned place_number) : number(place_number), restart(io) {}
    unsigned number;  // from 1
    PlaceState state = PlaceState::vacant;
    std::uint64_t holder = 0;     // serial; 0: none
    std::uint64_t successor = 0;  // serial; 0: none
    unsigned failures = 0;
    unsigned successor_failures = 0;
    std::chrono::milliseconds delay{0};  // before the next attempt
    boost::asio::steady_timer restart;
    std::chrono::steady_clock::time_point recycle_after{};
  };

  void worker_ready(Worker& worker) override;
  void worker_draining(Worker& worker) override;
  void worker_place_free(Worker& worker) override;
  void worker_gone(Worker& worker, int status) override;

  // Places (app_pool.cpp).
  void resize(std::size_t count);
  void handle(Slot& slot, PlaceEvent event);
  void act(Slot& slot, PlaceAction action);
  void launch(Slot& slot, std::uint64_t Slot::*who);
  void start_failed();
  void lost(Slot& slot, const Worker& worker);
  void back_off(Slot& slot);
  void refresh();
  Slot* slot_of(std::uint64_t serial);
  bool is_ready(std::uint64_t serial) const;

  // Size and age (app_pool_size.cpp).
  void adjust();
  std::string_view limit_of(const Worker& worker) const;
  void recycle();
  void measure();
  bool needs_ticks() const;
  void tick_later();
  void tick();

  Context& context_;
  config::AppSettings app_;
  PoolObserver& observer_;
  BackoffPolicy backoff_;
  config::Workers range_;  // of `app_`, or as scaled by hand
  PoolLoad load_;
  PoolSize size_;
  std::uint32_t capacity_ = 0;  // of a worker that has answered; 0: none has
  boost::asio::steady_timer timer_;
  bool ticking_ = false;
  TokenBucket recycling_{kRecycledPerSecond, kRecycledInARow};
  std::uint64_t measured_ = 0;  // serial of the worker whose memory was looked at last
  std::vector<std::unique_ptr<Slot>> slots_;
  std::map<std::uint64_t, std::shared_ptr<Worker>> workers_;
  channel::AppState state_ = channel::AppState::starting;
  bool has_failed_ = false;
  bool start_failed_ = false;  // the last attempt
  bool retired_ = false;
  unsigned failed_starts_ = 0;
  std::string failure_;
};

}  // namespace viaduct::daemon::master
