#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "daemon/bridge/link/blame.hpp"
#include "daemon/bridge/link/link.hpp"
#include "daemon/bridge/link/taking.hpp"
#include "daemon/bridge/link/worker_info.hpp"
#include "daemon/bridge/reactor.hpp"

namespace viaduct::daemon::bridge {

class Worker;

/// Who is told about a worker: the dispatcher of its app.
class WorkerOwner {
 public:
  /// It answered its first question; WorkerInfo is filled in.
  virtual void on_answered(Worker& worker) = 0;
  /// A slot is free again.
  virtual void on_slot_free(Worker& worker) = 0;
  /// A connection was lost or could not be made.
  virtual void on_link_trouble(Worker& worker, const std::string& what) = 0;
  /// A server is up again, or, because of what is said, down: as ServerHealth has it.
  virtual void on_server_up(Worker& worker) = 0;
  virtual void on_server_down(Worker& worker, const std::string& why) = 0;
  /// How the app is served without that server.
  enum class Others : std::uint8_t {
    none,    ///< no other one is up
    rising,  ///< those that are up have just come up
    whole,   ///< one of them takes all that it can
  };
  [[nodiscard]] virtual Others others(const Worker& worker) const = 0;
  /// Size of the longest head that servers of the app have answered (head_size), as far as that is
  /// known; 0: they have answered none. All threads share it.
  virtual std::atomic<std::uint64_t>& longest_answered() = 0;

  /// Whether another worker would take a request that this one was given.
  [[nodiscard]] virtual bool other_has_slot(const Worker& worker) const = 0;

  /// When a worker must have ended whatever it was at before it was given a request that is taken
  /// back now. `deadline`: of that request.
  [[nodiscard]] virtual Clock::time_point recovery_limit(Clock::time_point deadline) const = 0;

 protected:
  ~WorkerOwner() = default;
};

/// What takes an app's requests, as one reactor uses it: a process that viaductd has started
/// (ProcessWorker), or a server that others run (Server). Either carries many requests on one link,
/// or is plain and has a connection for each.
class Worker : public LinkOwner {
 public:
  Worker(Reactor& reactor, WorkerOwner& owner, std::shared_ptr<WorkerInfo> info)
      : reactor_(reactor), owner_(owner), info_(std::move(info)) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  virtual ~Worker() = default;

  [[nodiscard]] WorkerInfo& info() { return *info_; }
  [[nodiscard]] const WorkerInfo& info() const { return *info_; }
  [[nodiscard]] std::shared_ptr<WorkerInfo> shared_info() const { return info_; }

  /// How many requests may be at it now, those of all threads together.
  [[nodiscard]] virtual std::uint32_t slots() const = 0;
  /// Whether it takes a request now.
  [[nodiscard]] virtual bool has_slot() const = 0;
  /// Whether it is one to be used at all, while others are.
  [[nodiscard]] virtual bool up() const { return true; }
  /// Whether it has just come up, and is to get less than it takes.
  [[nodiscard]] virtual bool rising() const { return false; }
  [[nodiscard]] virtual Taking taking() const = 0;
  /// Of two that take a request, the one with less load gets it.
  [[nodiscard]] virtual std::uint64_t load() const {
    return info_->active.load(std::memory_order_relaxed);
  }

  /// What it has to know of a request to carry it.
  struct Request {
    Caller& caller;
    protocol::Role role;
    const protocol::Pairs& params;
    bool has_body;               ///< or may have one
    bool repeatable;             ///< it may be sent to another one should this one be lost
    unsigned moves;              ///< how often it was taken back; then a server gets it over a new
                                 ///< connection
    Clock::time_point deadline;  ///< for the head of its response
  };
  struct Carried {
    Link* link;
    protocol::RequestId id;
  };
  /// Takes a slot and starts the request. Nothing when it cannot be reached.
  virtual std::optional<Carried> begin(const Request& request) = 0;

  /// Gives up a request. A plain worker's slot stays taken until it answers again, which it has to
  /// do by `deadline`.
  virtual void abort(const Carried& carried, Clock::time_point deadline) = 0;
  /// Hears that a request was not answered in time, before that is aborted.
  virtual void on_timeout() {}
  /// Hears that it has begun to answer a request whose head has that size (head_size).
  virtual void on_answering(std::uint64_t /*head*/) {}
  /// Hears how it lost a request over that link; returns whether that counts as its failure. What
  /// becomes of the connection it is told after that.
  virtual bool on_request_lost(const Link& /*link*/, const LostRequest& /*lost*/) { return false; }

  /// As Link::trace.
  bool trace(const Carried& carried) { return carried.link->trace(carried.id); }

  /// Tells one that understands it that this bridge is about to give it no more requests: streams
  /// would otherwise stay open until they are cut.
  virtual void announce_draining() = 0;
  /// Its requests are lost.
  virtual void die() = 0;
  /// Whether no other bridge uses the workers, so that connections to plain ones may be kept; they
  /// are not until this is said. Idle ones are given up when they may not.
  virtual void keep_connections(bool /*keep*/) {}

  /// Makes a lost link again, checks the health of an idle one. Returns why the worker must be
  /// replaced, or nothing.
  virtual std::optional<std::string> tick(Clock::time_point now,
                                          std::chrono::milliseconds patience) = 0;
  /// Whether tick() has something to do soon.
  [[nodiscard]] virtual bool wants_tick() const = 0;

 protected:
  void release(std::size_t slots) {
    info_->active.fetch_sub(static_cast<std::uint32_t>(slots), std::memory_order_release);
  }

  Reactor& reactor_;
  WorkerOwner& owner_;
  std::shared_ptr<WorkerInfo> info_;
};

}  // namespace viaduct::daemon::bridge
