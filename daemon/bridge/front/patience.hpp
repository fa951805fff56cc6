#pragma once

#include <chrono>

#include "daemon/bridge/reactor.hpp"

namespace viaduct::daemon::bridge {

/// How long a front connection may do nothing useful. It has no I/O; the owner tells it what goes
/// on.
///
/// A request head has to be complete kHead after its first byte, however slowly it trickles in: a
/// connection with half a head holds memory, and keeps a place that others need. Between two
/// requests front servers keep connections for as long as they like, HTTP clients, which may be
/// anybody, for kBetween.
class Patience {
 public:
  static constexpr std::chrono::seconds kHead{60};
  static constexpr std::chrono::seconds kBetween{75};

  enum class Verdict : std::uint8_t { wait, slow_head, unused };

  /// `bounded`: its peer is an HTTP client.
  Patience(bool bounded, Clock::time_point now) : bounded_(bounded), since_(now) {}

  /// A request head is complete.
  void request_began(Clock::time_point now) { since_ = now; }

  /// To be called about once a second. `busy`: a request or output is under way; `between`: nothing
  /// of another request has arrived.
  Verdict tick(Clock::time_point now, bool busy, bool between);

  /// When the last request or output was seen to end, or the present head to begin.
  [[nodiscard]] Clock::time_point since() const { return since_; }

 private:
  bool bounded_;
  bool between_ = true;  // at the last tick
  Clock::time_point since_;
};

}  // namespace viaduct::daemon::bridge
