#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "daemon/channel/background_closer.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/master/foreign_bridges.hpp"
#include "daemon/master/listener_set.hpp"

namespace viaduct::daemon::master {

/// What the other viaductd leaves to this one when it lets go.
struct Inheritance {
  UniqueFd connections{};  ///< on which its front connections come; none: it is gone without
  std::vector<BridgeHandle> bridges{};  ///< its own, and those that were left to it
};

/// The viaductd that started this one to be replaced by it, as seen from here (upgrade_text.hpp).
class Predecessor {
 public:
  /// Reads the environment, removes what concerns this from it, and receives the listening sockets.
  /// Nothing when this daemon replaces no other. Throws std::runtime_error when the other does not
  /// say what it has to.
  static std::optional<Predecessor> from_environment();

  /// Takes over the conversation on that socket, as from_environment() does.
  explicit Predecessor(UniqueFd conversation);

  /// Its listening sockets.
  ListenerSet& listeners() { return listeners_; }
  /// Its control socket, once.
  std::optional<ListenerSocket> take_control() { return std::exchange(control_, std::nullopt); }

  /// Says that this daemon has a bridge, which may not ask the other's control socket. Before
  /// report_ready().
  void name_bridge(pid_t pid);

  /// Says that this daemon serves. `serve` is called once, from the event loop, when the other lets
  /// go or is gone.
  void report_ready(boost::asio::io_context& io, std::function<void(Inheritance)> serve);

 private:
  void receive_listeners();

  UniqueFd conversation_;
  channel::BackgroundCloser closer_;
  ListenerSet listeners_;
  std::optional<ListenerSocket> control_;
};

}  // namespace viaduct::daemon::master
