#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/channel/request_list.hpp"
#include "daemon/master/control/peer.hpp"
#include "daemon/master/control/status.hpp"

namespace viaduct::daemon::master::control {

/// What a command came to.
struct Outcome {
  enum class Kind {
    done,
    invalid,      ///< the configuration has errors; nothing has changed
    refused,      ///< it could not be done; `message` says why and what holds now
    partial,      ///< done in part: `errors` says of each app that was left out, why
    unsupported,  ///< this daemon cannot do that
  };

  Kind kind = Kind::done;
  std::string message;  ///< one line: what was done, or why not
  /// Of `invalid`: "FILE:LINE:COLUMN: KEY: what is wrong". Of `partial`: "APP: what is wrong", or
  /// the same.
  std::vector<std::string> errors{};
  std::vector<std::string> warnings{};  ///< likewise, of things that are obeyed none the less
};

/// The requests that one bridge has in flight for an app.
struct RequestList {
  unsigned generation = 0;
  bool answered = false;  ///< false: the bridge did not say in time
  std::vector<channel::ListedRequest> requests{};
  std::uint32_t omitted = 0;  ///< requests left out because there are too many
};

/// All that the control socket wants of the master. Every function is called from the event loop;
/// `done` is called from there too, once, within the call or later: when what was asked for has
/// happened or has failed.
class Commands {
 public:
  using Done = std::function<void(Outcome)>;

  /// Whether a process is a bridge, or was one a moment ago: it may be in other hands, and where
  /// the daemon is not root it has the daemon's own user.
  virtual bool is_bridge(pid_t pid) const = 0;
  /// A bridge has connected, which no honest one does.
  virtual void bridge_called(pid_t pid) = 0;

  virtual Status status() const = 0;
  /// Whether the running configuration has an app of that name.
  virtual bool has_app(const std::string& app) const = 0;
  /// Requests of an app that has_app(); `stacks`: the oldest of them with what their handlers do.
  virtual void list_requests(const std::string& app, bool stacks,
                             std::function<void(std::vector<RequestList>)> done) = 0;

  /// The peer is about to give a command that changes something: for the log.
  virtual void note(const Peer& peer, std::string_view command) = 0;

  /// Reads the configuration anew. With `keep_going` apps that fail stay as they are and the others
  /// are applied; without, nothing is.
  virtual void reload(bool keep_going, Done done) = 0;
  /// Applies that app's section of the configuration file alone. The app may be new.
  virtual void reload_app(const std::string& app, Done done) = 0;
  /// New workers for the app, from the configuration that is in force.
  virtual void restart(const std::string& app, Done done) = 0;
  /// Another number of workers, until the next reload.
  virtual void scale(const std::string& app, std::uint32_t workers, Done done) = 0;
  /// Serves open requests up to timeouts.stop and ends the daemon; done when all processes have
  /// ended.
  virtual void drain(Done done) = 0;
  /// The same at once.
  virtual void stop(Done done) = 0;
  virtual void reopen(Done done) = 0;
  /// Another executable takes over.
  virtual void upgrade(Done done) = 0;

 protected:
  ~Commands() = default;
};

}  // namespace viaduct::daemon::master::control
