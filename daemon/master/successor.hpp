#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/master/context.hpp"
#include "daemon/master/foreign_bridges.hpp"
#include "daemon/master/listener_set.hpp"

namespace viaduct::daemon::master {

/// How this daemon was started, and its successor will be.
struct Invocation {
  std::string executable;              ///< absolute path, symbolic links not followed
  std::vector<std::string> arguments;  ///< argv
};

/// Called from the event loop.
class SuccessorObserver {
 public:
  /// It has started a bridge; before successor_ready().
  virtual void successor_bridge(BridgeHandle bridge) = 0;
  // One of these, once.
  virtual void successor_ready() = 0;
  /// It is gone, or killed; this daemon goes on.
  virtual void successor_failed(const std::string& why) = 0;

 protected:
  ~SuccessorObserver() = default;
};

/// The viaductd that is to replace this one, as seen from here (upgrade_text.hpp): a child that is
/// not killed with its parent and stays in its session.
class Successor : public std::enable_shared_from_this<Successor> {
 public:
  Successor(Context& context, SuccessorObserver& observer);
  ~Successor();

  /// Starts it and gives it the listening sockets and the control socket. One that is not ready
  /// within `patience` (0: no limit) is killed. Throws std::system_error when there can be no
  /// process.
  void start(const Invocation& invocation, const ListenerSet& listeners,
             const ListenerSocket& control, std::chrono::milliseconds patience);

  /// After successor_ready(): the service is its own from now on, this object does nothing more.
  /// `bridges`: those whose word it must not take.
  void serve(UniqueFd connections, const std::vector<BridgeHandle>& bridges);

  void kill() noexcept;
  pid_t pid() const { return pid_; }

 private:
  void await_exec(UniqueFd report);
  void await_ready();
  void exited(int status);

  Context& context_;
  SuccessorObserver& observer_;
  pid_t pid_ = -1;
  boost::asio::posix::stream_descriptor conversation_;
  boost::asio::posix::stream_descriptor report_;
  boost::asio::steady_timer timer_;
  std::string failure_;  // why it will have ended
  bool settled_ = false;
};

}  // namespace viaduct::daemon::master
