#pragma once

#include <sys/types.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/channel/channel.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/account.hpp"
#include "daemon/master/context.hpp"

namespace viaduct::daemon::master {

/// Called from the event loop.
class BridgeObserver {
 public:
  /// A message; a descriptor that came with it belongs to the observer.
  virtual void bridge_says(const channel::Message& message, UniqueFd descriptor) = 0;
  /// waitpid() returned it, all its messages have been delivered. The last call.
  virtual void bridge_ended(int status) = 0;

 protected:
  ~BridgeObserver() = default;
};

struct BridgeSpec {
  int settings = -1;    ///< sealed memfd: the settings as JSON
  int scoreboard = -1;  ///< memfd
  std::vector<int> listeners;
  std::size_t apps = 0;  ///< in its settings
  config::Account account;
};

/// One bridge process and the master's end of its channel.
class BridgeProcess : public std::enable_shared_from_this<BridgeProcess> {
 public:
  BridgeProcess(Context& context, BridgeObserver& observer);
  ~BridgeProcess();

  /// Throws std::system_error when there can be no process. A failure of exec is logged and ends
  /// the process.
  void start(const BridgeSpec& spec);

  /// A message that no bridge sends (message_check.hpp) ends the process: whoever took it over may
  /// have sent those before, too.
  ///
  /// Messages wait in the master while the bridge does not read; a bridge that leaves
  /// kMaxWaiting of them unread hangs and is killed.
  void send(const channel::Message& message, UniqueFd descriptor = {});
  static constexpr std::size_t kMaxWaiting = 65536;

  void kill() noexcept;
  pid_t pid() const { return pid_; }
  bool alive() const { return pid_ > 0; }

 private:
  struct Waiting {
    channel::Message message;
    UniqueFd descriptor;
  };

  void flush();
  void wait_writable();
  void wait_readable();
  bool receive(std::size_t most);
  bool distrust(std::string_view why);
  void watch_report(UniqueFd report);
  void ended(int status);

  Context& context_;
  BridgeObserver& observer_;
  pid_t pid_ = -1;
  std::size_t apps_ = 0;
  boost::asio::posix::stream_descriptor channel_;
  boost::asio::posix::stream_descriptor report_;
  boost::asio::steady_timer farewell_;
  std::deque<Waiting> waiting_;
  bool waiting_writable_ = false;
};

}  // namespace viaduct::daemon::master
