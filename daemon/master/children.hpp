#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/master/orphans.hpp"

namespace viaduct::daemon::master {

/// Waits for child processes (SIGCHLD) and tells whoever started them. Must exist before the first
/// child is made.
class Children {
 public:
  using Handler = std::function<void(int status)>;

  explicit Children(boost::asio::io_context& io);

  /// `handler` is called once, from the event loop, with the status of waitpid().
  void watch(pid_t pid, Handler handler);

  /// The handler will not be called; the child is still reaped.
  void forget(pid_t pid);

  /// `look` is called from the event loop when children have ended that nobody watched.
  void when_orphan_ends(std::function<void()> look) { look_ = std::move(look); }

  /// Ends what that worker, which has ended, has left: soon, from the event loop.
  void worker_ended(pid_t pid, std::uint64_t serial);
  /// Ends what workers have left and nobody was found for: Orphans::end().
  void end_orphans();

 private:
  void wait();
  void reap_some();
  void reap_soon();
  // Whether more may have ended.
  bool reap_next(bool& orphan);
  [[nodiscard]] bool is_ours(pid_t pid) const;

  boost::asio::signal_set signals_;
  boost::asio::steady_timer soon_;
  std::map<pid_t, Handler> handlers_;
  std::set<pid_t> forgotten_;
  Orphans orphans_;
  std::function<void()> look_;
};

}  // namespace viaduct::daemon::master
