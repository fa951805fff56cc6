#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/bridge/dispatch/canary.hpp"
#include "daemon/bridge/dispatch/exchange.hpp"
#include "daemon/bridge/dispatch/loss_record.hpp"
#include "daemon/bridge/dispatch/slow_log.hpp"
#include "daemon/bridge/dispatch/wait_queue.hpp"
#include "daemon/bridge/link/worker.hpp"
#include "daemon/bridge/services.hpp"
#include "daemon/channel/message.hpp"
#include "daemon/channel/scoreboard.hpp"
#include "daemon/config/bridge_settings.hpp"
#include "daemon/log/byte_limit.hpp"
#include "daemon/log/rate_limit.hpp"

namespace viaduct::daemon::bridge {

/// What all threads of the bridge know of one app.
struct SharedApp {
  config::BridgeApp settings;
  std::deque<Lane> lanes;
  std::atomic<channel::AppState> state{channel::AppState::starting};
  std::atomic<std::uint32_t> retry_after{1};  ///< seconds, while failing
  std::atomic<std::uint32_t> queued{0};
  std::atomic<std::uint32_t> gathering{0};  ///< requests whose body is being gathered
  /// Longest wait in milliseconds that a thread has seen since it was taken last.
  std::atomic<std::uint32_t> delay_ms{0};
  std::atomic<std::uint64_t> longest_answered{0};  ///< see WorkerOwner
  std::atomic<std::uint32_t> waiting_threads{0};  ///< bit per reactor, the 32nd stands for the rest
};

/// Tells the rest of the bridge what a dispatcher found out. Called on the dispatcher's thread.
class WorkerReports {
 public:
  /// A worker answered its first question.
  virtual void answered(const std::shared_ptr<WorkerInfo>& info) = 0;
  /// A worker must be replaced.
  virtual void replace(const WorkerInfo& info, std::string_view reason) = 0;
  /// A draining worker has no request left.
  virtual void idle(const WorkerInfo& info) = 0;
  /// A request waits, and there is no worker at all.
  virtual void unserved(std::uint32_t app) = 0;
  /// A slot is free, and other threads have requests waiting for one.
  virtual void wake_others(std::uint32_t app) = 0;
  /// A worker crashed while it had these requests of the dispatcher's thread.
  virtual void crashed(const WorkerInfo& info, std::vector<Suspect> suspects) = 0;
  /// A request of that route, which was at a worker that crashed, was answered by another one.
  virtual void cleared(std::uint32_t app, std::uint64_t worker, std::string route) = 0;
  /// A server is down, because of `why`, or, without one, up again.
  virtual void server_changed(const std::shared_ptr<WorkerInfo>& info, std::string_view why) = 0;

 protected:
  ~WorkerReports() = default;
};

/// One app on one thread: its queue, and the choice of a worker for each request.
class Dispatcher final : public WorkerOwner {
 public:
  /// `index`: of the app in the bridge's settings.
  Dispatcher(Services& services, std::uint32_t index, SharedApp& app, AppScore& scores,
             WorkerReports& reports);
  ~Dispatcher();

  [[nodiscard]] const config::BridgeApp& settings() const { return app_.settings; }
  [[nodiscard]] AppScore& scores() { return scores_; }
  /// How many servers that others run the app has, at least 1; 0: it has workers.
  [[nodiscard]] std::uint32_t servers() const {
    if (app_.settings.connect.empty()) return 0;
    return static_cast<std::uint32_t>(std::max<std::size_t>(workers_.size(), 1));
  }

  // Requests.
  /// Whether the app takes a request with that head at all; refuses it otherwise.
  bool admits(Exchange& exchange);
  /// Bytes of its body, which is not complete, that the policy wants first.
  [[nodiscard]] std::uint64_t bytes_to_gather(const Exchange& exchange);
  /// Hears that the body of a request is being gathered, or not any more.
  void gathering(bool begins) {
    app_.gathering.fetch_add(begins ? 1U : -1U, std::memory_order_relaxed);
  }
  void submit(Exchange& exchange);
  /// Puts a request whose worker was lost in front of the queue.
  void resubmit(Exchange& exchange);
  /// Takes it out of the queue.
  void withdraw(Exchange& exchange);
  /// Hears that a request has left its worker; `stuck`: it had ignored its abort.
  void left_worker(const Exchange& exchange, Worker& worker, bool stuck);
  /// Hears that a request was at its worker when that was lost.
  void lost_at(const Exchange& exchange, const Worker& worker);
  /// Hears that a second worker answers a request that the first, of that serial, was lost with.
  void answered_after(const Exchange& exchange, const Worker& worker, std::uint64_t lost);
  /// Requests of a route (route_pattern) are refused from now on.
  void close_route(const std::string& route, Clock::time_point until);
  void open_route(const std::string& route);
  /// A worker ignores an abort: no new requests, and it is replaced once its others have ended.
  void condemn(Worker& worker);
  /// The app's own log from now on, borrowed.
  void use_log(const log::Log& log) {
    log_ = &log;
    slow_log_.use_app_log(log);
  }
  [[nodiscard]] SlowLog& slow_log() { return slow_log_; }
  /// A line of an application's FCGI_STDERR.
  void log_line(const WorkerInfo& worker, std::string_view line);
  /// Logs, at a limited rate, why requests are refused.
  void report_refusal(std::string_view reason);
  /// The same of a request that is taken back from a worker that has not read it.
  void report_move(const WorkerInfo& worker, std::string_view request);
  /// The same of responses that are not stored because of `reason`: their workers wait.
  void report_pause(std::string_view reason);

  // Workers.
  void add(const std::shared_ptr<WorkerInfo>& info, bool ask);
  void drain(std::uint64_t serial);
  /// It has ended, with that status of waitpid. Returns what it had of this thread.
  channel::LostRequests remove(std::uint64_t serial, int status);
  /// No more requests come to this bridge.
  void announce_draining();
  /// As Worker::keep_connections, for all workers there are and those to come.
  void keep_connections(bool keep);
  void state_changed();
  /// Sends what waits as far as slots are free.
  void pump();
  void tick(Clock::time_point now);
  /// Whether a worker waits for something that only a tick brings about.
  [[nodiscard]] bool wants_tick() const;

  void on_answered(Worker& worker) override;
  void on_slot_free(Worker& worker) override;
  void on_link_trouble(Worker& worker, const std::string& what) override;
  void on_server_up(Worker& worker) override;
  void on_server_down(Worker& worker, const std::string& why) override;
  [[nodiscard]] Others others(const Worker& worker) const override;
  [[nodiscard]] bool other_has_slot(const Worker& worker) const override;
  [[nodiscard]] Clock::time_point recovery_limit(Clock::time_point deadline) const override;
  std::atomic<std::uint64_t>& longest_answered() override { return app_.longest_answered; }

 private:
  /// The worker with the least load that has a slot, if possible not the one that has just refused
  /// or lost this request. Canaries take only requests that are theirs, servers that are down none
  /// unless all are.
  Worker* choose(const Exchange& exchange) const;
  Worker* choose(const Exchange& exchange, bool canary) const;
  std::unique_ptr<Worker> make_worker(const std::shared_ptr<WorkerInfo>& info, bool ask);
  Worker* find(std::uint64_t serial) const;
  /// The most restrictive of all workers; the last known one while there are none.
  Taking taking();
  /// Sends it to a worker, if its lane and a worker have room.
  bool send(Exchange& exchange);
  bool send_to_worker(Exchange& exchange);
  [[nodiscard]] Exchange* sendable() const;
  /// Requests that the workers take at once.
  [[nodiscard]] std::size_t slots() const;
  /// Refuses those that the queue gives up.
  void shed();
  void refuse_queued(Exchange& exchange, std::string_view reason);
  /// Queues it as far as limits.queue allows.
  void wait_or_refuse(Exchange& exchange);
  void refuse_full(Exchange& exchange);
  /// It has been counted in SharedApp::queued.
  void enqueue(Exchange& exchange, bool again);
  /// Of this thread in SharedApp::waiting_threads.
  [[nodiscard]] std::uint32_t thread_bit() const {
    return 1U << std::min(services_.reactor.index(), 31U);
  }
  void report_if_idle(Worker& worker);
  void measure_delay(Clock::time_point now);
  void refuse_failing(Exchange& exchange);
  const std::string& pattern_of(const Exchange& exchange);
  /// Whether its route is closed; it is refused then.
  bool refuse_closed(Exchange& exchange);

  Services& services_;
  std::uint32_t index_;
  SharedApp& app_;
  AppScore& scores_;
  WorkerReports& reports_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t turn_ = 0;           // with whom among equals the search begins: servers only
  const log::Log* log_ = nullptr;  // null: the daemon's
  SlowLog slow_log_;
  // FCGI_STDERR, as much as the master takes of a worker's standard error.
  log::ByteLimit log_limit_{64 * 1024, std::chrono::milliseconds(100)};
  WaitQueue queue_;
  Canary canary_;
  LossRecord losses_;
  std::map<std::string, Clock::time_point> closed_routes_;  // until when
  Taking taking_ = Taking::unknown;                         // what was known last
  std::string pattern_;                                     // kept for its memory
  log::RateLimit refusals_;
  bool keep_connections_ = false;
  bool pumping_ = false;
};

}  // namespace viaduct::daemon::bridge
