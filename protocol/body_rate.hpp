#pragma once

#include <chrono>
#include <cstdint>

namespace viaduct::protocol {

/// Whether the body of one request comes at least at a rate, averaged over the time for which its
/// client is waited for. Pure: the owner says how much of that time has passed and what came.
///
/// The account is held in time. Each byte is worth 1/rate seconds, each second of waiting costs
/// one. For the first `grace` of waiting the account may be overdrawn. A client that sends faster
/// saves at most `most`, so that no fast start lets it drip for hours.
class BodyRate {
 public:
  using Duration = std::chrono::nanoseconds;
  static constexpr Duration kGrace = std::chrono::seconds(20);

  /// Any rate will do.
  constexpr BodyRate() = default;
  /// `rate`: bytes per second; 0: any.
  constexpr explicit BodyRate(std::uint32_t rate, Duration grace = kGrace)
      : BodyRate(rate, grace, grace) {}
  constexpr BodyRate(std::uint32_t rate, Duration grace, Duration most)
      : rate_(rate), grace_(grace), most_(most) {}

  /// The client was waited for so long.
  void wait(Duration time) {
    waited_ += time;
    saved_ -= time;
  }
  /// Bytes of the body have come. The wait for them has to be told before.
  void receive(std::uint64_t bytes);

  /// How long the client may still be waited for if it sends nothing more. Zero: it is too slow.
  /// Duration::max(): for ever.
  [[nodiscard]] Duration left() const;

 private:
  std::uint32_t rate_ = 0;
  Duration grace_ = kGrace;
  Duration most_ = kGrace;
  Duration waited_{};
  Duration saved_{};  // at most most_; below zero: the average is below the rate
};

}  // namespace viaduct::protocol
