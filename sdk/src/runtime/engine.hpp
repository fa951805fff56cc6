#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include "sdk/src/attachments.hpp"
#include "sdk/src/runtime/client_source.hpp"
#include "sdk/src/runtime/exchange.hpp"
#include "sdk/src/runtime/executor.hpp"
#include "sdk/src/runtime/late_log.hpp"
#include "sdk/src/runtime/link.hpp"
#include "sdk/src/runtime/listener.hpp"
#include "sdk/src/runtime/tracer.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

struct EngineOptions {
  std::uint32_t limit = 8;             ///< handlers at once
  std::string_view model = "threads";  ///< what a handler occupies: VIADUCT_MODEL
  std::chrono::milliseconds stop_time{30000};
  RequestIds request_ids = RequestIds::usual();
  ClientLimits clients{};        ///< of HTTP
  ClientSource client_source{};  ///< likewise
  bool ready = true;             ///< false: FCGI_GET_VALUES is answered from become_ready() on
};

/// Connections, requests, and the order in which they are served; the same for both concurrency
/// models. An Executor decides which thread performs input and output (turn()) and which runs
/// handlers (take_ready(), complete()).
///
/// One mutex guards everything. It is held for brief steps, never while waiting for the kernel nor
/// while a handler or a stop callback runs. One thread at a time performs a turn; it alone receives
/// from sockets, into the one buffer there is, and closes them. Any thread that holds the mutex
/// may send.
class Engine {
 public:
  using Lock = std::unique_lock<std::mutex>;
  using Clock = std::chrono::steady_clock;

  /// Unsent output of a link beyond which handlers that write wait, in bytes; and beyond which
  /// pipelined requests of an HTTP client wait, before a handler begins.
  static constexpr std::size_t kMaxOutput = 256 * 1024;
  /// Output of finished handlers that may be collected before it is sent, in bytes.
  static constexpr std::size_t kMaxCollected = 64 * 1024;
  /// Our receive window, per request (VIADUCT_WINDOW).
  static constexpr std::uint32_t kWindow = protocol::fastcgi::kDefaultWindow;
  /// Requests that may be sent to us beyond our limit (VIADUCT_PREFETCH): as many as are handled at
  /// once, and at most these.
  static constexpr std::uint32_t kMaxPrefetch = 64;
  /// Connections at once; more wait in the listening socket's backlog.
  static constexpr std::size_t kMaxLinks = 4096;

  explicit Engine(const EngineOptions& options);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  [[nodiscard]] std::mutex& mutex() { return mutex_; }
  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  [[nodiscard]] bool draining() const { return draining_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t limit() const { return options_.limit; }
  [[nodiscard]] Attachments& attachments() { return attachments_; }
  [[nodiscard]] const RequestIds& request_ids() const { return options_.request_ids; }
  /// Who is told; before anything else.
  void attach(Executor& executor) { executor_ = &executor; }
  /// Serves the connections of that socket from now on.
  void add_listener(Listener listener);
  /// Serves that connection, which was made elsewhere.
  void add_connection(int fd, Listener::Protocol protocol);
  /// Accepts nothing more, and finishes when the requests in flight have ended.
  void drain();
  /// Called by whoever performs a turn.
  void become_ready();
  /// Makes a blocking turn() return. From any thread.
  void interrupt();
  /// Waits until no request is in hand; false when `until` comes first. From any thread that runs
  /// neither handlers nor turns.
  [[nodiscard]] bool wait_until_idle(Clock::time_point until);

  // What follows is called with the mutex held.

  /// Performs what input and output is due, having waited for some if `block`. Gives the lock up
  /// meanwhile. One thread at a time.
  void turn(Lock& lock, bool block);
  /// The next request to be handled, within the limit; null if there is none.
  [[nodiscard]] Exchange* take_ready();
  [[nodiscard]] bool has_ready() const { return !ready_.empty() && running_ < options_.limit; }
  [[nodiscard]] std::uint32_t running() const { return running_; }
  /// The handler of that request has returned.
  void complete(Exchange& exchange);
  /// Sends what finished handlers left to be sent.
  void flush_dirty();
  [[nodiscard]] std::size_t collected() const { return collected_; }
  /// Draining, and nothing is left to do.
  [[nodiscard]] bool finished() const;

  /// What executors have to say while they hold the mutex.
  [[nodiscard]] LateLog& late_log() { return log_; }

  // For exchanges.
  void wait(Lock& lock, Exchange& exchange) { executor_->wait(lock, exchange); }
  void input_taken(Exchange& exchange, std::uint32_t bytes);
  void want_input(Exchange& exchange);
  void send(const std::shared_ptr<Link>& link);
  /// The time until the next heartbeat begins.
  void await_heartbeat(Exchange& exchange);
  /// Has stop() of a stream fire at the end of the turn.
  void stop_stream(Exchange& exchange);
  /// A response of the runtime's own.
  void answer(Link& link, protocol::RequestId id, int status);

 private:
  using LinkPtr = std::shared_ptr<Link>;
  using Queue = boost::intrusive::list<
      Exchange, boost::intrusive::member_hook<Exchange, boost::intrusive::list_member_hook<>,
                                              &Exchange::queue_hook>>;
  using Active = boost::intrusive::list<
      Exchange, boost::intrusive::member_hook<Exchange, boost::intrusive::list_member_hook<>,
                                              &Exchange::active_hook>>;

  struct Stop {
    std::stop_source source;
    LinkPtr link;
    protocol::RequestId id;
  };

  /// Requests that may wait for a handler, in the order of their arrival.
  [[nodiscard]] std::uint32_t queue_limit() const { return options_.limit * 4 + 1024; }

  // engine.cpp: connections and time
  void accept(Listener& listener);
  void add_link(int fd, Listener::Protocol protocol);
  void await_connection(Listener& listener);
  void await_input(const LinkPtr& link);
  /// Whether no further request of an HTTP client is taken until it has read of its answers.
  static bool backed_up(const Link& link);
  void await_room(const LinkPtr& link);
  void on_readable(const LinkPtr& link);
  void on_writable(const LinkPtr& link);
  void close_link(const LinkPtr& of);
  void close_if_done(const LinkPtr& link);
  void fail_link(const LinkPtr& link);
  void wake_writers(Link& link);
  void watch_client(Link& link);
  void schedule_patience(const Link& link);
  bool lose_patience(Link& link);
  void schedule(Clock::time_point time);
  void on_timer();
  void accept_the_rest();
  void close_listeners();
  void resume_accepting();
  void check_finished();

  // engine_streams.cpp: responses without an end of their own
  void stop_streams(const Link* only);
  Clock::time_point beat(Exchange& exchange);
  void mark_dirty(const LinkPtr& link);

  // engine_traces.cpp: stack traces
  void on_trace(const LinkPtr& link, protocol::RequestId id);
  void traced(Tracer::Job job, const std::string& text);

  // engine_events.cpp: requests
  void receive(const LinkPtr& link, protocol::Bytes bytes);
  void take_held(const LinkPtr& link);
  void handle(const LinkPtr& link, const protocol::Event& event);
  void on_request(const LinkPtr& link, protocol::RequestId id, protocol::RequestHead& head);
  void on_body(const LinkPtr& link, const protocol::Event& event);
  void on_data(const LinkPtr& link, const protocol::Event& event);
  bool has_credit(const LinkPtr& link, Exchange& exchange, const protocol::Event& event);
  void after_input(const LinkPtr& link, Exchange& exchange);
  void on_abort(const Link& link, const protocol::Event& event);
  void on_refused(Link& link, const protocol::Event& event);
  void on_credit(Link& link, const protocol::Event& event);
  void cancel(Exchange& exchange, Exchange::Cancel reason);
  void wake(Exchange& exchange);
  Exchange& acquire();
  void release(Exchange& exchange);
  void log_malformed(protocol::Errc error);
  void log_contradiction();

  const EngineOptions options_;
  bool ready_to_answer_;
  Attachments attachments_;
  std::mutex mutex_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  Clock::time_point timer_at_ = Clock::time_point::max();
  Clock::time_point now_ = Clock::now();
  Executor* executor_ = nullptr;

  std::vector<std::unique_ptr<Listener>> listeners_;
  bool accepting_paused_ = false;
  std::unordered_set<LinkPtr> links_;
  std::vector<LinkPtr> dirty_;
  std::size_t collected_ = 0;
  std::vector<std::byte> buffer_;  // of the thread that performs a turn

  Queue ready_;
  Active active_;
  std::condition_variable idle_;  // nothing is active
  std::uint32_t running_ = 0;
  std::uint64_t last_serial_ = 0;
  std::vector<std::unique_ptr<Exchange>> spare_;
  std::vector<Stop> stops_;  // to be fired at the end of the turn

  std::atomic<bool> draining_ = false;
  bool drain_spent_ = false;
  bool contradicted_ = false;  // log_contradiction() has spoken
  Clock::time_point stop_at_ = Clock::time_point::max();
  Clock::time_point last_malformed_{};
  std::uint64_t malformed_ = 0;
  LateLog log_;

  Tracer tracer_;  // its thread uses all of the above
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
