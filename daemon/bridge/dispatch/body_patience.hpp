#pragma once

#include <chrono>
#include <cstdint>

#include "daemon/bridge/reactor.hpp"

namespace viaduct::daemon::bridge {

/// How long viaductd waits for the body of one request. Pure: the owner says how time has passed
/// and what came.
///
/// Time counts only while viaductd waits for the client: not while reading is paused, and not while
/// the application has bytes that it has not taken. Silence is the time since the client last sent
/// something. The rate is all bytes over all counted time, and is looked at after kGrace.
class BodyPatience {
 public:
  static constexpr std::chrono::seconds kGrace{20};

  struct Limits {
    std::chrono::milliseconds silence{0};  ///< timeouts.body; 0: none
    std::uint32_t rate = 0;                ///< bytes per second; 0: none
  };
  enum class Verdict : std::uint8_t { wait, silent, slow };

  /// So much time has passed since the last call; `waiting`: for the client.
  void pass(Clock::duration time, bool waiting) {
    if (waiting) {
      silence_ += time;
      waited_ += time;
    } else {
      silence_ = {};
    }
  }
  void receive(std::uint64_t bytes) {
    bytes_ += bytes;
    silence_ = {};
  }
  /// Bytes per second of counted time, which is taken as a second at least.
  [[nodiscard]] double rate() const;
  [[nodiscard]] Verdict verdict(const Limits& limits) const;

 private:
  Clock::duration silence_{};
  Clock::duration waited_{};
  std::uint64_t bytes_ = 0;
};

}  // namespace viaduct::daemon::bridge
