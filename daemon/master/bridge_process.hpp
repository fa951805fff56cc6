#pragma once

#include <sys/types.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/channel/channel.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/account.hpp"
#include "daemon/master/bridge_conduct.hpp"
#include "daemon/master/context.hpp"
#include "daemon/master/open_questions.hpp"
#include "daemon/master/output_reader.hpp"
#include "daemon/master/token_bucket.hpp"

namespace viaduct::daemon::master {

/// Called from the event loop.
class BridgeObserver {
 public:
  /// A message, with the long answer that belongs to it: a copy, not verified.
  virtual void bridge_says(const channel::Message& message, std::string answer) = 0;
  /// It broke a rule of the channel and is killed.
  virtual void bridge_distrusted() = 0;
  /// waitpid() returned it, all its messages have been delivered. The last call.
  virtual void bridge_ended(pid_t pid, int status) = 0;

 protected:
  ~BridgeObserver() = default;
};

struct BridgeSpec {
  int settings = -1;    ///< sealed memfd: the settings as JSON
  int scoreboard = -1;  ///< memfd
  int log = -1;         ///< log pipe; -1: the bridge has no use for one
  std::vector<int> listeners;
  std::size_t apps = 0;  ///< in its settings
  config::Account account;
};

/// One bridge process and the master's ends of its channel: a socket on which it only sends, and a
/// pipe from which it only reads, so that no descriptor can come from the bridge.
class BridgeProcess : public std::enable_shared_from_this<BridgeProcess> {
 public:
  BridgeProcess(Context& context, BridgeObserver& observer);
  ~BridgeProcess();

  /// Throws std::system_error when there can be no process. A failure of exec is logged and ends
  /// the process.
  void start(const BridgeSpec& spec);

  /// A message that no bridge sends (message_check.hpp), or not now (bridge_conduct.hpp), ends the
  /// process: whoever took it over may have sent those before, too. Messages beyond kPerSecond wait
  /// in the pipe, and an honest bridge merges its reports meanwhile.
  static constexpr double kPerSecond = 10'000;
  ///
  /// Messages wait in the master while the bridge does not read; a bridge that leaves
  /// kMaxWaiting of them unread hangs and is killed.
  void send(const channel::Message& message, UniqueFd descriptor = {});
  static constexpr std::size_t kMaxWaiting = 65536;

  /// Sends a message that has a long answer, list_requests or worker_dead. False when too many are
  /// unanswered, or there is no memory: then nothing is sent.
  bool ask(const channel::Message& question);

  /// Ends the process, since it broke a rule: nothing that it says is believed any more. Logged.
  void distrust(std::string_view why);

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
  void wait_for_tokens();
  bool receive(std::size_t most);
  void take(const channel::Message& message);
  void reports_failed(const std::error_code& error);
  void drop_waiting();
  void release(UniqueFd descriptor, channel::Type type);
  void watch_report(UniqueFd report);
  void read_output(UniqueFd pipe);
  void ended(int status);

  Context& context_;
  BridgeObserver& observer_;
  pid_t pid_ = -1;
  bool reaped_ = false;  // the number may be another process's
  std::size_t apps_ = 0;
  boost::asio::posix::stream_descriptor channel_;
  boost::asio::posix::stream_descriptor reports_;
  boost::asio::posix::stream_descriptor report_;
  std::shared_ptr<OutputReader> output_;
  boost::asio::steady_timer farewell_;
  boost::asio::steady_timer pause_;
  std::deque<Waiting> waiting_;
  bool waiting_writable_ = false;
  OpenQuestions questions_;
  BridgeConduct conduct_;
  TokenBucket budget_{kPerSecond, kPerSecond};
};

}  // namespace viaduct::daemon::master
