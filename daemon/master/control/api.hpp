#pragma once

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

  const Permission& permission() const { return permission_; }

  /// Does what a request asks for and answers once that has happened: within the call or later,
  /// from the event loop.
  void handle(const Peer& peer, std::string_view method, std::string_view target,
              std::string_view body, std::function<void(Reply)> answer);

 private:
  void perform(const Command& command, std::function<void(Reply)> answer);

  Commands& commands_;
  Permission permission_;
};

}  // namespace viaduct::daemon::master::control
