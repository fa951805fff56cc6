#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace viaduct::daemon::master::control {

/// Limits of the control socket.
struct Limits {
  std::uint32_t head = 8 * 1024;   ///< bytes of a request's head; beyond: 431
  std::uint64_t body = 64 * 1024;  ///< bytes of its body; beyond: 413
  std::size_t connections = 32;
  std::size_t readers = 16;  ///< of these, at most, peers that may only read
  /// For a whole request from the moment it may come, and for its answer to be taken. Beyond, the
  /// connection is closed.
  std::chrono::milliseconds patience{10'000};
};

/// How many connections there are. Shared by the server and its sessions.
struct Census {
  std::size_t connections = 0;
  std::size_t readers = 0;
  std::size_t answering = 0;       ///< connections whose answer has not been taken yet
  std::function<void()> on_quiet;  ///< called when `answering` becomes zero
};

}  // namespace viaduct::daemon::master::control
