#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "daemon/bridge/memory/thread_memory.hpp"

namespace viaduct::daemon::bridge {

using Clock = std::chrono::steady_clock;

/// Something with output to write. A member of at most one list of the reactor at a time.
class Flushable {
 public:
  virtual void flush() = 0;

 protected:
  virtual ~Flushable() = default;

 private:
  friend class Reactor;
  bool soon_ = false;
  bool at_turn_end_ = false;
};

/// Is told when its socket is ready; see Socket.
class Watcher {
 public:
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;
  /// Whether it is served before others that became ready with it: a worker whose requests have
  /// ended waits for the next ones.
  [[nodiscard]] virtual bool urgent() const { return false; }

 protected:
  ~Watcher() = default;
};

/// One event loop and what its connections share. A request stays on one reactor from its first
/// byte to its last, so nothing here, nor in what hangs on it, is locked. Everything but `post` is
/// to be called on the reactor's own thread.
///
/// Every completion handler begins with a `Reactor::Event`, whose end writes what the event caused.
/// Connections to front servers are flushed then, while the received bytes that their output may
/// refer to are still there; links are flushed once per turn of the loop, so that one write
/// carries the requests of many connections.
///
/// Timers, the channel and listening sockets wait through Asio. The sockets that carry requests are
/// watched level-triggered in an epoll set of the reactor's own, which Asio sees as one descriptor:
/// Asio re-arms a descriptor with a system call for every wait, which here would be one per
/// request.
class Reactor {
 public:
  using Context = boost::asio::io_context;
  using Executor = Context::executor_type;
  using Descriptor = boost::asio::posix::basic_stream_descriptor<Executor>;
  using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Executor>;

  /// Brackets the work of one completion handler.
  class Event {
   public:
    explicit Event(Reactor& reactor) : Event(reactor, Clock::now()) {}
    Event(Reactor& reactor, Clock::time_point now) : reactor_(reactor) { reactor_.now_ = now; }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() { reactor_.finish_event(); }

   private:
    Reactor& reactor_;
  };

  explicit Reactor(unsigned index);
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  /// `tick` is called from now on: about 50 ms later when it has returned true, else after a
  /// second.
  void start(std::function<bool()> tick);
  /// There is something to watch: ticks every 50 ms until `tick` says otherwise.
  void tick_soon();
  void run() { context_.run(); }
  void stop() { context_.stop(); }

  /// Position among the bridge's reactors.
  [[nodiscard]] unsigned index() const { return index_; }
  [[nodiscard]] Context& context() { return context_; }
  [[nodiscard]] Executor executor() { return context_.get_executor(); }
  /// When the current event began, or the first of those that were ready together.
  [[nodiscard]] Clock::time_point now() const { return now_; }

  /// Memory to receive into, shared by every socket of the loop: its content lasts until the end of
  /// the event.
  [[nodiscard]] std::span<std::byte> receive_buffer() { return {buffer_.get(), kBufferSize}; }

  /// What everything on this loop holds.
  [[nodiscard]] ThreadMemory& memory() { return memory_; }

  /// Runs `work` on the reactor's thread, within an event. Any thread may call it.
  void post(std::function<void()> work);

  /// Calls `target.flush()` at the end of this event.
  void flush_soon(Flushable& target);
  /// Calls `target.flush()` once the events that are ready now have run.
  void flush_at_turn_end(Flushable& target);
  /// Forgets a target that is about to be destroyed.
  void forget(Flushable& target);

  /// Destroys `object` after the event, when nobody up the stack uses it any more.
  void bury(std::shared_ptr<void> object) { graveyard_.push_back(std::move(object)); }

  static constexpr std::size_t kBufferSize = 256 * 1024;

 private:
  friend class Socket;

  void watch(int descriptor, Watcher& watcher, std::uint32_t events, int operation);
  void unwatch(int descriptor, Watcher& watcher);
  void await_sockets();
  void serve_sockets();
  bool serve_ready();
  void serve(epoll_event& event);
  void finish_event();
  void flush_soon_targets();
  void bury_dead();
  void end_turn();
  void arm_tick();

  unsigned index_;
  ThreadMemory memory_;
  std::function<bool()> tick_;
  bool busy_ = false;
  Clock::time_point now_;
  std::unique_ptr<std::byte[]> buffer_;
  std::vector<Flushable*> soon_;
  std::vector<Flushable*> turn_;
  std::vector<Flushable*> flushing_;  // kept for its memory
  bool turn_due_ = false;             // end_turn() will be called
  std::array<epoll_event, 128> ready_{};
  std::size_t ready_count_ = 0;
  std::vector<std::shared_ptr<void>> graveyard_;
  Context context_;
  Timer timer_;
  Descriptor sockets_;  // the epoll set
};

}  // namespace viaduct::daemon::bridge
