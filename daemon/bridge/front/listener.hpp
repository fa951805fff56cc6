#pragma once

#include "daemon/bridge/front/connection_list.hpp"
#include "daemon/bridge/front/front.hpp"
#include "daemon/bridge/reactor.hpp"
#include "daemon/log/rate_limit.hpp"

namespace viaduct::daemon::bridge {

/// Accepts the connections of one listening socket on one thread. Other threads and other
/// processes accept from the same socket.
class Listener {
 public:
  /// Owns `descriptor`. No more than `max_connections` are open at once, on all threads; the rest
  /// wait in the socket's backlog.
  Listener(Front& front, ConnectionList& connections, int descriptor,
           std::uint32_t max_connections);

  void start();
  void stop();
  /// Takes a connection that a predecessor accepted.
  void adopt(int descriptor);
  /// Goes on accepting after a pause for want of descriptors or room.
  void tick();

 private:
  void await_connection();
  void accept_some();
  void take(int descriptor);
  [[nodiscard]] bool full() const;
  /// Logs at a limited rate, for each kind of message.
  void report(std::string_view message, std::string_view name, std::string_view value);

  Front& front_;
  ConnectionList& connections_;
  Reactor::Descriptor descriptor_;
  std::uint32_t max_connections_;
  bool started_ = false;
  bool waiting_ = false;
  bool reported_full_ = false;
  log::RateLimit reports_;
};

}  // namespace viaduct::daemon::bridge
