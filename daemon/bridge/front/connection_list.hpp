#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "daemon/bridge/front/connection.hpp"
#include "daemon/bridge/front/peer.hpp"
#include "daemon/bridge/services.hpp"
#include "daemon/log/rate_limit.hpp"

namespace viaduct::daemon::bridge {

/// Owns the front connections of one thread.
class ConnectionList {
 public:
  /// Sends a connection's socket to the process that succeeds this one, with the identity of the
  /// listening socket it came from; false when it cannot now.
  using HandOver = std::function<bool(std::uint64_t listener, int descriptor)>;

  explicit ConnectionList(Services& services);
  ~ConnectionList();

  void add(std::shared_ptr<Connection> connection);
  void remove(Connection& connection);

  /// From now on idle connections are given to the successor, others when they become idle. With no
  /// successor (an empty function) each ends with its next response, idle ones after a moment in
  /// which a request that is already on its way is still served.
  void drain(HandOver hand_over);
  /// When idle connections of a bridge without successor are closed.
  [[nodiscard]] Clock::time_point idle_until() const { return idle_until_; }
  [[nodiscard]] bool has_successor() const { return hand_over_ != nullptr; }
  /// An idle connection of a draining bridge.
  void retire(Connection& connection);
  void close_all();
  void tick(Clock::time_point now);

  [[nodiscard]] bool empty() const { return connections_.empty(); }
  /// Calls `look(Connection&)` for each of them. It must not close any.
  template <class Look>
  void each(Look look) {
    for (const auto& connection : connections_) look(*connection);
  }
  /// Connections that may be closed for new ones, at most so many, in that order.
  [[nodiscard]] std::vector<Expendable<Connection>> expendable(std::size_t most);
  /// Idle ones give back what they keep for their next request.
  void release_memory();

  /// Logs, at a limited rate for each listener, what was wrong with a connection's bytes.
  void report(Connection& connection, std::string_view error);
  /// The same of a connection that is closed because its peer takes nothing.
  void report_unread(Connection& connection);
  /// The same of one that is closed because `client`, whom a proxy names, has as many as it may.
  void report_excess(Connection& connection, const Peer& client);

 private:
  void report(Connection& connection, const Peer& peer, std::string_view message,
              std::string_view error);
  Services& services_;
  std::vector<std::shared_ptr<Connection>> connections_;
  HandOver hand_over_;
  Clock::time_point idle_until_ = Clock::time_point::max();
  log::RateLimit reports_;
};

}  // namespace viaduct::daemon::bridge
