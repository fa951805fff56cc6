#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/bridge/front/client_counts.hpp"
#include "daemon/bridge/front/connection_list.hpp"
#include "daemon/bridge/front/expendable.hpp"
#include "daemon/bridge/front/front.hpp"
#include "daemon/bridge/front/reserve.hpp"
#include "daemon/bridge/reactor.hpp"
#include "daemon/log/rate_limit.hpp"

namespace viaduct::daemon::bridge {

/// Accepts the connections of one listening socket on one thread. Other threads and other
/// processes accept from the same socket.
///
/// Without descriptors accepting pauses: who has connected waits in the socket's backlog. Once that
/// has lasted for kPatience, the descriptor kept in reserve lets one connection at a time be
/// accepted all the same, so that the front server is told 503, in its protocol, and may go
/// elsewhere.
///
/// At the limit of connections, those of HTTP clients without a request are closed for new ones.
class Listener {
 public:
  /// Owns `descriptor`. No more than `max_connections` are open at once, on all threads, unless one
  /// can be closed for a new one; the rest wait in the socket's backlog.
  static constexpr std::chrono::milliseconds kPatience{1000};

  Listener(Front& front, ConnectionList& connections, Reserve& reserve, int descriptor,
           std::uint32_t max_connections);

  void start();
  /// Accepts who has connected already, up to the limit of connections, and closes the socket: with
  /// its last descriptor their connections would be reset.
  void stop();
  /// Accepts from that socket, which it then owns, and no longer from the one it had, but for who
  /// has connected to that already: where there is no room for these, the former socket is kept
  /// until they are accepted. Connections stay. Not after stop().
  void replace(int descriptor);
  /// Takes a connection that a predecessor accepted.
  void adopt(int descriptor);
  /// Goes on accepting after a pause for want of descriptors or room.
  void tick();

 private:
  void await_connection();
  void accept_some();
  /// Accepts who has connected to that socket. False when somebody may be left, for want of room or
  /// descriptors.
  bool accept_rest(Reactor::Descriptor& socket);
  void tick_former();
  enum class Origin : std::uint8_t { accepted, adopted, refused };
  std::shared_ptr<Connection> take(int descriptor, Origin origin);
  /// Whether there is room for one more, or can be made: `victims` are looked up when it is needed.
  using Victims = std::optional<std::vector<Expendable<Connection>>>;
  bool has_room(Victims& victims);
  void make_room(Victims& victims);
  /// Whether its client may have that connection; counts it then.
  bool enter(int descriptor, bool trusted, ClientCounts::Place& place);
  void run_out(int error);
  [[nodiscard]] bool full() const;
  /// Logs at a limited rate, for each kind of message.
  void report(std::string_view message, std::string_view name, std::string_view value);

  Front& front_;
  ConnectionList& connections_;
  Reserve& reserve_;
  Reactor::Descriptor descriptor_;
  std::deque<Reactor::Descriptor> former_;  // replaced, with connections that wait
  const bool tcp_;
  std::uint32_t max_connections_;
  bool started_ = false;
  bool waiting_ = false;
  std::uint32_t sockets_ = 1;  // that it has had
  bool reported_full_ = false;
  Clock::time_point exhausted_since_{};  // epoch: there are descriptors
  log::RateLimit reports_;
};

}  // namespace viaduct::daemon::bridge
