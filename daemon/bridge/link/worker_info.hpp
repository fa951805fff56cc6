#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "daemon/bridge/link/server_health.hpp"
#include "daemon/bridge/socket.hpp"
#include "daemon/config/request_settings.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::bridge {

/// What a server that others run has beyond a worker.
struct ServerInfo {
  ServerInfo(std::string address, const config::ServerSettings& how)
      : name(std::move(address)), settings(how), health(how.health) {}

  std::string name;  ///< its address as configured
  config::ServerSettings settings;
  /// How long connecting may take; 0: as long as the kernel tries.
  std::chrono::milliseconds connect_timeout{0};
  /// Requests at once are what it says of itself where it multiplexes, and not
  /// WorkerInfo::capacity.
  bool own_capacity = false;
  /// Connections are kept between requests, and each thread has so many, idle or not; 0: none are.
  std::uint32_t keep = 0;
  ServerHealth health;
  /// When a thread last saw that a new connection gets no answer (ConnectionRoom).
  std::atomic<Clock::rep> starved_at{std::numeric_limits<Clock::rep>::min() / 2};
};

/// A worker as all threads of the bridge know it. What is not atomic is set before a second thread
/// hears of it.
struct WorkerInfo {
  std::uint64_t serial = 0;
  std::uint32_t app = 0;
  int pid = 0;
  std::uint32_t slot = 0;  ///< the number in its name, from 1
  Destination address;
  std::unique_ptr<ServerInfo> server;  ///< others run it, it has no serial of the master's; null:
                                       ///< viaductd does
  bool canary = false;                 ///< it runs the app's other program
  bool one_thread = true;  ///< uses it: only then connections to a plain one may be kept
  bool answered = false;   ///< its first question; what it can do is known
  bool multiplexed = false;
  bool threads = false;        ///< each request occupies a thread of it
  std::uint32_t capacity = 1;  ///< requests at once
  std::uint32_t prefetch = 0;  ///< requests that it accepts beyond these
  /// A plain one that leaves a request unread for so long is busy: another one gets it.
  std::chrono::milliseconds unread{};
  std::atomic<std::uint32_t> active = 0;  ///< slots taken, by all threads
  std::atomic<std::uint32_t> stuck = 0;   ///< of these, requests that ignore their abort
  /// Links that broke and are not made again yet. It may be dying, so that no thread gives it a
  /// request meanwhile, over a link that has not broken yet.
  std::atomic<std::uint32_t> broken_links = 0;
  std::atomic<bool> draining = false;  ///< no new requests
  std::atomic<bool> replaced = false;  ///< the master was asked to replace it

  /// When a plain one ended its last request; of the workers with equal load that have a slot, the
  /// one that has rested longest is the likeliest to be idle: PlainLinks::idle.
  std::atomic<Clock::rep> rested_at = std::numeric_limits<Clock::rep>::min();

  /// Given to it by this bridge so far.
  std::atomic<std::uint64_t> requests = 0;
};

/// Who that is, for a line of the log.
inline log::Attribute who(const WorkerInfo& info) {
  return info.server ? log::Attribute("server", info.server->name)
                     : log::Attribute("pid", info.pid);
}

}  // namespace viaduct::daemon::bridge
