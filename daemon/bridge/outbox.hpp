#pragma once

#include <deque>

#include "daemon/bridge/reactor.hpp"
#include "daemon/channel/message.hpp"

namespace viaduct::daemon::bridge {

/// Messages on their way to the master. They wait here while the pipe is full. On the reactor's
/// thread.
class Outbox {
 public:
  /// `pipe` is owned.
  Outbox(Reactor& reactor, int pipe);

  void send(const channel::Message& message);
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

 private:
  void flush();

  Reactor& reactor_;
  Reactor::Descriptor pipe_;
  std::deque<channel::Message> waiting_;
  bool waits_ = false;  // until the pipe is writable
};

}  // namespace viaduct::daemon::bridge
