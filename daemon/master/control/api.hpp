#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "daemon/master/control/commands.hpp"
#include "daemon/master/control/peer.hpp"
#include "daemon/master/control/request.hpp"

namespace viaduct::daemon::master::control {

/// The control socket's requests and answers, without the socket.
class Api {
 public:
  /// `commands` is borrowed and outlives it.
  Api(Commands& commands, Permission permission) : commands_(commands), permission_(permission) {}

  /// Commands under way, whether or not their peers still wait, and lists of requests being
  /// collected; beyond: 503. Drain and stop are always taken.
  static constexpr std::size_t kMaxCommands = 256;
  static constexpr std::size_t kMaxLists = 16;

  const Permission& permission() const { return permission_; }

  /// Whether a peer may ask at all. A bridge may not, and the master hears of it.
  bool admit(const Peer& peer);

  /// Does what a request asks for and answers once that has happened: within the call or later,
  /// from the event loop.
  void handle(const Peer& peer, std::string_view method, std::string_view target,
              std::string_view body, std::function<void(Reply)> answer);

 private:
  void perform(const Command& command, const std::function<void(Reply)>& answer);

  Commands& commands_;
  Permission permission_;
  std::size_t commands_under_way_ = 0;
  std::size_t lists_under_way_ = 0;
};

}  // namespace viaduct::daemon::master::control
