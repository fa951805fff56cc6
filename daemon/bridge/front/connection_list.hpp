#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "daemon/bridge/front/connection.hpp"
#include "daemon/bridge/services.hpp"
#include "daemon/log/rate_limit.hpp"

namespace viaduct::daemon::bridge {

/// Owns the front connections of one thread.
class ConnectionList {
 public:
  /// Sends a connection's socket to the process that succeeds this one; false when it cannot now.
  using HandOver = std::function<bool(std::uint32_t listener, int descriptor)>;

  explicit ConnectionList(Services& services);
  ~ConnectionList();

  void add(std::shared_ptr<Connection> connection);
  void remove(Connection& connection);

  /// From now on idle connections are given to the successor, others end with their response; with
  /// no successor (an empty function) idle ones stay open for a last request.
  void drain(HandOver hand_over);
  [[nodiscard]] bool has_successor() const { return hand_over_ != nullptr; }
  /// An idle connection of a draining bridge.
  void retire(Connection& connection);
  void close_all();
  void tick(Clock::time_point now);

  [[nodiscard]] bool empty() const { return connections_.empty(); }

  /// Logs, at a limited rate for each listener, what was wrong with a connection's bytes.
  void report(Connection& connection, std::string_view error);

 private:
  Services& services_;
  std::vector<std::shared_ptr<Connection>> connections_;
  HandOver hand_over_;
  log::RateLimit reports_;
};

}  // namespace viaduct::daemon::bridge
