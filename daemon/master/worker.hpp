#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/config/app_settings.hpp"
#include "daemon/master/context.hpp"
#include "daemon/master/crash_report.hpp"
#include "daemon/master/output_reader.hpp"
#include "daemon/master/process.hpp"
#include "daemon/master/worker_lifecycle.hpp"

namespace viaduct::daemon::master {

class Worker;

/// Who keeps a worker. Called from the event loop; may drop the worker within worker_gone() only.
class WorkerOwner {
 public:
  virtual void worker_ready(Worker& worker) = 0;
  virtual void worker_draining(Worker& worker) = 0;    ///< no new requests for it
  virtual void worker_place_free(Worker& worker) = 0;  ///< may be called again for the same worker
  virtual void worker_gone(Worker& worker, int status) = 0;

 protected:
  ~WorkerOwner() = default;
};

/// One worker process, from fork to waitpid: carries out what the state machine decides.
class Worker : public std::enable_shared_from_this<Worker> {
 public:
  /// `app` is borrowed and outlives the worker. `slot` counts from 1.
  Worker(Context& context, const config::AppSettings& app, unsigned slot, WorkerOwner& owner);
  ~Worker();

  /// Forks; throws std::system_error when that is not possible.
  void start();

  /// From bridges and owner. Events that cannot happen are logged and ignored.
  void handle(WorkerEvent event);

  /// SIGKILL to its process group, whatever it is doing.
  void kill() noexcept;

  std::uint64_t serial() const { return serial_; }
  unsigned slot() const { return slot_; }
  pid_t pid() const { return pid_; }
  WorkerState state() const { return state_; }
  bool was_ready() const { return was_ready_; }
  /// Why it ended, or has to, though it should not have; "" while there is no such reason.
  const std::string& failure() const { return failure_; }
  /// The last line with something in it that it wrote to its standard error, cut to 256 bytes; ""
  /// when there is none.
  std::string last_line() const;
  const std::string& name() const { return name_; }  ///< "shop/1"
  /// Once it has ended: what to report, if it has crashed. What bridges know of it is missing.
  const std::optional<CrashReport>& crash() const { return crash_; }
  std::string socket_path() const;
  std::chrono::milliseconds uptime() const;

  /// Requests that bridges report to have given it.
  void add_requests(std::uint64_t count) { requests_ += count; }
  std::uint64_t requests() const { return requests_; }
  /// Requests that it takes at once, as it told a bridge; 0: not known.
  std::uint32_t capacity() const { return capacity_; }
  void set_capacity(std::uint32_t capacity) { capacity_ = capacity; }
  /// Its own share, in [0, 1), of what spreads the limits of workers.
  double jitter() const { return jitter_; }
  /// Bytes of memory, as memory_of() counts; measured at most once a second.
  std::uint64_t memory();
  /// The same as last measured; 0: never.
  std::uint64_t measured_memory() const { return memory_; }

 private:
  void act(WorkerAction action);
  void hasten(std::chrono::milliseconds left);
  void arm(std::chrono::milliseconds delay, WorkerEvent event);
  void signal(int number);
  UniqueFd make_cgroup();
  void leave_remains();
  void watch_report(UniqueFd report);
  void report_arrived();
  void executed();
  void exited(int status);
  void log_output(std::string_view line) const;
  void log_exit(int status);
  std::string last_output() const;
  void report_crash();

  Context& context_;
  const config::AppSettings& app_;
  WorkerOwner& owner_;
  std::uint64_t serial_;
  unsigned slot_;
  std::string name_;
  std::string cgroup_;  // its name; "": none
  pid_t pid_ = -1;
  WorkerState state_ = WorkerState::starting;
  bool was_ready_ = false;
  bool spawn_failed_ = false;
  std::string failure_;
  int status_ = 0;
  std::optional<CrashReport> crash_;
  std::uint64_t requests_ = 0;
  std::uint32_t capacity_ = 0;
  double jitter_;
  std::uint64_t memory_ = 0;
  std::chrono::steady_clock::time_point measured_;  // epoch: never
  std::chrono::steady_clock::time_point started_;
  boost::asio::steady_timer timer_;
  boost::asio::posix::stream_descriptor report_;
  std::shared_ptr<OutputReader> output_;
};

}  // namespace viaduct::daemon::master
