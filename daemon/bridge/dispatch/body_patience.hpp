#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "daemon/bridge/reactor.hpp"
#include "protocol/body_rate.hpp"

namespace viaduct::daemon::bridge {

/// How long viaductd waits for the body of one request. Pure: the owner says how time has passed
/// and what came.
///
/// Time counts only while viaductd waits for the client: not while reading is paused, and not while
/// the application has bytes that it has not taken. Silence is the time since the client last sent
/// something. protocol::BodyRate says what the rate is an average of. A fast start is worth as much
/// waiting as the limit of silence, which is thus the same for fast clients and slow ones.
class BodyPatience {
 public:
  struct Limits {
    std::chrono::milliseconds silence{0};  ///< timeouts.body; 0: none
    std::uint32_t rate = 0;                ///< bytes per second; 0: none
  };
  enum class Verdict : std::uint8_t { wait, silent, slow };

  /// For ever.
  BodyPatience() = default;
  explicit BodyPatience(const Limits& limits)
      : limit_(limits.silence),
        rate_(limits.rate, protocol::BodyRate::kGrace,
              std::max<protocol::BodyRate::Duration>(protocol::BodyRate::kGrace, limits.silence)) {}

  /// So much time has passed since the last call; `waiting`: for the client.
  void pass(Clock::duration time, bool waiting) {
    if (!waiting) {
      silence_ = {};
      return;
    }
    silence_ += time;
    rate_.wait(time);
    window_ += time;
    while (window_ > 2 * protocol::BodyRate::kGrace) {
      window_ -= protocol::BodyRate::kGrace;
      bytes_ /= 2;
    }
  }
  void receive(std::uint64_t bytes) {
    bytes_ += bytes;
    rate_.receive(bytes);
    silence_ = {};
  }
  /// Bytes per second of counted time, which is taken as a second at least. What is past counts
  /// half after every 20 s, so that no fast start makes a client fast for ever.
  [[nodiscard]] double rate() const;
  [[nodiscard]] Verdict verdict() const;

 private:
  std::chrono::milliseconds limit_{0};
  Clock::duration silence_{};
  protocol::BodyRate rate_;
  Clock::duration window_{};  // in which bytes_ have come
  std::uint64_t bytes_ = 0;
};

}  // namespace viaduct::daemon::bridge
