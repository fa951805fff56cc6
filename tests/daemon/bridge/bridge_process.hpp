#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/channel/message.hpp"
#include "daemon/channel/scoreboard.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/bridge_settings.hpp"
#include "tests/daemon/bridge/stage.hpp"

namespace viaduct::daemon::bridge::testing {

/// A bridge in a process of its own, and the master's end of its channel.
class BridgeProcess {
 public:
  /// `listeners`: one listening socket per listener of the settings; they stay the caller's.
  BridgeProcess(Stage& stage, const config::BridgeSettings& settings,
                const std::vector<int>& listeners);
  /// Kills it if it still runs.
  ~BridgeProcess();
  BridgeProcess(const BridgeProcess&) = delete;
  BridgeProcess& operator=(const BridgeProcess&) = delete;

  /// `descriptor` is closed behind the message. A question gets memory for its answer.
  void send(const channel::Message& message, int descriptor = -1);
  /// What it sent, in order.
  [[nodiscard]] const std::vector<channel::Message>& received() const { return received_; }
  [[nodiscard]] std::size_t count(channel::Type type) const;
  [[nodiscard]] std::optional<channel::Message> last(channel::Type type) const;
  /// The last answer that was longer than a message.
  [[nodiscard]] const std::string& answer() const { return channel_.answer; }
  /// Serves the stage until it has sent so many messages of the type.
  bool wait_for(channel::Type type, std::size_t count = 1);

  /// Everything it wrote to its log and to its standard error, sanitizers included.
  [[nodiscard]] const std::string& log() const { return log_.text; }
  bool wait_for_log(std::string_view text);
  [[nodiscard]] std::size_t log_count(std::string_view text) const;

  /// The master goes: closes the channel.
  void leave();
  /// Waits for its end. The status of waitpid, or nothing when it does not end.
  std::optional<int> wait_exit();

  /// Stops it, so that all that happens until thaw() happens to it at the same moment.
  void freeze();
  void thaw();

  [[nodiscard]] Scoreboard& scores() { return *scores_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Resident memory in bytes.
  [[nodiscard]] std::size_t resident() const;
  /// The most that it ever was.
  [[nodiscard]] std::size_t peak_resident() const;

 private:
  class ChannelPeer final : public Peer {
   public:
    explicit ChannelPeer(std::vector<channel::Message>& received) : received_(received) {}
    [[nodiscard]] int descriptor() const override { return pipe.get(); }
    [[nodiscard]] short wanted() const override;
    void ready(short events) override;
    UniqueFd pipe;
    std::map<std::uint64_t, UniqueFd> memories;  // for answers, by serial
    std::string answer;

   private:
    std::vector<channel::Message>& received_;
  };
  class LogPeer final : public Peer {
   public:
    [[nodiscard]] int descriptor() const override { return pipe; }
    [[nodiscard]] short wanted() const override;
    void ready(short events) override;
    int pipe = -1;
    std::string text;
  };

  void spawn(const std::vector<int>& listeners, const std::vector<int>& own, int log);
  bool reap();

  Stage& stage_;
  UniqueFd socket_;  // to the bridge
  std::vector<channel::Message> received_;
  ChannelPeer channel_{received_};
  LogPeer log_;
  Scoreboard* scores_ = nullptr;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

}  // namespace viaduct::daemon::bridge::testing
