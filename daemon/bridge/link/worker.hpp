#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/bridge/link/link.hpp"
#include "daemon/bridge/link/prefetch.hpp"
#include "daemon/bridge/reactor.hpp"
#include "daemon/bridge/socket.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::bridge {

/// A worker as all threads of the bridge know it. What is not atomic is set before a second thread
/// hears of it.
struct WorkerInfo {
  std::uint64_t serial = 0;
  std::uint32_t app = 0;
  int pid = 0;
  std::uint32_t slot = 0;  ///< the number in its name, from 1
  Destination address;
  bool server = false;  ///< others run it: plain, and it has no serial of the master's
  std::string name;     ///< of a server: its address as configured
  /// Of a server: how long connecting may take; 0: as long as the kernel tries.
  std::chrono::milliseconds connect_timeout{0};
  bool canary = false;     ///< it runs the app's other program
  bool one_thread = true;  ///< uses it: only then connections to a plain one may be kept
  bool answered = false;   ///< its first question; what it can do is known
  bool multiplexed = false;
  std::uint32_t capacity = 1;             ///< requests at once
  std::uint32_t prefetch = 0;             ///< requests that it accepts beyond these
  std::atomic<std::uint32_t> active = 0;  ///< slots taken, by all threads
  std::atomic<std::uint32_t> stuck = 0;   ///< of these, requests that ignore their abort
  /// Links that broke and are not made again yet. It may be dying, so that no thread gives it a
  /// request meanwhile, over a link that has not broken yet.
  std::atomic<std::uint32_t> broken_links = 0;
  std::atomic<bool> draining = false;  ///< no new requests
  std::atomic<bool> replaced = false;  ///< the master was asked to replace it

  /// Given to it by this bridge so far.
  std::atomic<std::uint64_t> requests = 0;
};

/// Who that is, for a line of the log.
inline log::Attribute who(const WorkerInfo& info) {
  return info.server ? log::Attribute("server", info.name) : log::Attribute("pid", info.pid);
}

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

 protected:
  ~WorkerOwner() = default;
};

/// One worker as one reactor uses it: through one link that carries many requests, or, for a plain
/// worker, through one connection per request.
///
///     asking --values--> multiplexed: ready while the link is open; a lost one is made again
///                    \-> plain: ready while a slot is free
///
/// A plain connection is kept behind a request only when that request had no body, and used again
/// only for an idempotent one: what a client sent as body must never be read as the next request,
/// and a request that cannot be repeated must not meet a connection that is just being closed. None
/// is kept where somebody else waits for the worker, another thread or another bridge: a plain
/// worker serves one connection at a time, and an idle one would shut them out.
///
/// A server of `connect` (WorkerInfo::server) is a plain worker that nobody asks anything. It takes
/// `capacity` connections at once, and none is kept. One that does not accept a connection gets no
/// requests for a while (reconnect_delay), those that were meant for it being undelivered.
class Worker final : public LinkOwner {
 public:
  Worker(Reactor& reactor, WorkerOwner& owner, std::shared_ptr<WorkerInfo> info);
  ~Worker();

  /// Connects and asks. The first thread does so for every worker, others for those that multiplex.
  void ask();
  /// Makes it usable without a first question: a plain worker that another thread asked, or one
  /// that must never be asked (`may_ask` false).
  void assume_plain(bool may_ask) {
    asked_ = true;
    may_ask_ = may_ask;
  }

  [[nodiscard]] WorkerInfo& info() { return *info_; }
  [[nodiscard]] const WorkerInfo& info() const { return *info_; }
  [[nodiscard]] std::shared_ptr<WorkerInfo> shared_info() const { return info_; }
  /// Whether it takes a request now.
  [[nodiscard]] bool has_slot() const;

  /// What the worker has to know of a request to carry it.
  struct Request {
    Caller& caller;
    protocol::Role role;
    const protocol::Pairs& params;
    bool has_body;  ///< or may have one
    bool idempotent;
  };
  struct Carried {
    Link* link;
    protocol::RequestId id;
  };
  /// Takes a slot and starts the request. Nothing when the worker cannot be reached.
  std::optional<Carried> begin(const Request& request);

  /// Gives up a request. A plain worker's slot stays taken until it answers again, which it has to
  /// do by `deadline`.
  void abort(const Carried& carried, Clock::time_point deadline);

  /// As Link::trace.
  bool trace(const Carried& carried) { return carried.link->trace(carried.id); }

  /// Tells a worker that understands it that this bridge is about to give it no more requests:
  /// streams would otherwise stay open until they are cut.
  void announce_draining();
  /// Its requests are lost.
  void die();
  /// Whether no other bridge uses a plain worker, so that its connections may be kept; they are not
  /// until this is said. Idle ones are given up when they may not.
  void keep_connections(bool keep);

  /// Makes a lost link again, checks the health of an idle one. Returns why the worker must be
  /// replaced, or nothing.
  std::optional<std::string> tick(Clock::time_point now, std::chrono::milliseconds patience);

  /// Whether tick() has something to do soon.
  [[nodiscard]] bool wants_tick() const;

  void on_values(Link& link, const protocol::fastcgi::Values& values) override;
  void on_request_end(Link& link, Clock::duration taken) override;
  void on_closed(Link& link, std::size_t active, std::size_t lost,
                 const std::string& reason) override;

 private:
  struct PlainLink {
    std::shared_ptr<Link> link;
    bool busy = false;
    bool keep = false;
  };

  std::shared_ptr<Link> connect();
  std::optional<Carried> begin_plain(const Request& request);
  void connect_failed(const std::string& why);
  void server_closed(const Link& link, std::size_t active, std::size_t lost,
                     const std::string& reason);
  void end_slow_connects(Clock::time_point now);
  void set_broken(bool broken);
  void release(std::size_t slots);
  /// How many requests may be at the worker now.
  [[nodiscard]] std::uint32_t slots() const;
  void drop(const Link& link);
  void give_up_idle();
  std::vector<PlainLink>::iterator find(const Link& link);

  Reactor& reactor_;
  WorkerOwner& owner_;
  std::shared_ptr<WorkerInfo> info_;
  bool asked_;  // it has answered, to whichever thread, or needs no question
  bool may_ask_ = true;
  bool dead_ = false;
  bool keep_links_ = false;
  bool window_known_ = false;  // the multiplexed link has been answered
  bool broken_ = false;        // the multiplexed link was lost; counted in WorkerInfo

  Prefetch prefetch_;
  std::shared_ptr<Link> link_;  // the multiplexed one, or the one that asks
  std::vector<PlainLink> plain_;
  std::size_t recovering_ = 0;  // slots of aborted plain requests
  Clock::time_point recover_by_{};
  Clock::time_point retry_at_{};
  Clock::time_point asked_at_{};  // of a question without an answer yet; epoch: none
  Clock::time_point heard_at_{};
  unsigned failures_ = 0;  // to connect, one after the other
};

}  // namespace viaduct::daemon::bridge
