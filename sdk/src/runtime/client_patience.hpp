#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "protocol/body_rate.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// How long a client that reaches us without a front server may keep a connection to itself. Zero:
/// for ever.
struct ClientLimits {
  /// Between requests. More than the 60 s after which nginx gives up an idle connection of its own.
  std::chrono::milliseconds idle{75000};
  /// From the first to the last byte of a head.
  std::chrono::milliseconds head{30000};
  /// Silence while a handler waits for the body.
  std::chrono::milliseconds body{60000};
  /// Silence while a part of the response is unsent.
  std::chrono::milliseconds send{60000};
  /// Bytes of a body per second of waiting, on average, looked at after `grace` of it. What came
  /// faster is worth `body` at most, or `grace` (protocol::BodyRate).
  std::uint32_t body_rate = 500;
  std::chrono::milliseconds grace{20000};

  static constexpr ClientLimits none() {
    using std::chrono::milliseconds;
    return {milliseconds(0), milliseconds(0), milliseconds(0), milliseconds(0), 0};
  }
};

/// When a client has been waited for long enough. Is told the time, and performs nothing itself.
class ClientPatience {
 public:
  using Time = std::chrono::steady_clock::time_point;

  enum class Awaited : std::uint8_t {
    nothing,  ///< a request is in hand: it is ours to go on
    request,  ///< the first byte of one
    head,     ///< the rest of one
    body,     ///< more of its body, by a handler
  };

  explicit ClientPatience(const ClientLimits& limits) : limits_(limits) {}

  [[nodiscard]] Awaited awaited() const { return awaited_; }
  /// What is awaited from now on. The same as before: the clock runs on.
  void await(Awaited what, Time now) {
    if (what == awaited_) return;
    count_waiting(now);
    awaited_ = what;
    restart(now);
  }
  /// A head is complete.
  void begin_request(Time now) {
    await(Awaited::nothing, now);
    rate_ =
        protocol::BodyRate(limits_.body_rate, limits_.grace, std::max(limits_.grace, limits_.body));
  }
  /// Body bytes have come.
  void receive(std::uint64_t bytes, Time now) {
    count_waiting(now);
    rate_.receive(bytes);
    if (awaited_ == Awaited::body) restart(now);
  }
  /// The client has shown that it is alive, otherwise than by what is awaited.
  void restart(Time now) {
    count_waiting(now);
    deadline_ = std::min(after(now, limit()), rate_deadline(now));
  }

  /// From now on the socket takes no more of the response; or it does again.
  void block(Time now) { unread_at_ = after(now, limits_.send); }
  void unblock() {
    unread_at_ = Time::max();
    queued_ = UINT64_MAX;
  }
  /// Whether nothing was taken for too long. `queued`: bytes that the kernel has for the client, of
  /// which a slow reader takes some long before the socket takes more.
  bool unread(Time now, std::uint64_t queued) {
    if (now < unread_at_) return false;
    if (queued >= std::exchange(queued_, queued)) return true;
    block(now);
    return false;
  }

  /// When to look again, unless told otherwise before.
  [[nodiscard]] Time deadline() const { return std::min(deadline_, unread_at_); }
  /// Whether what is awaited has not come in time.
  [[nodiscard]] bool late(Time now) const { return deadline_ <= now; }

 private:
  static Time after(Time now, std::chrono::milliseconds limit) {
    return limit.count() == 0 ? Time::max() : now + limit;
  }
  [[nodiscard]] std::chrono::milliseconds limit() const {
    switch (awaited_) {
      case Awaited::nothing:
        break;
      case Awaited::request:
        return limits_.idle;
      case Awaited::head:
        return limits_.head;
      case Awaited::body:
        return limits_.body;
    }
    return std::chrono::milliseconds(0);
  }
  // When the body becomes too slow if nothing more comes.
  [[nodiscard]] Time rate_deadline(Time now) const {
    if (awaited_ != Awaited::body || limits_.body_rate == 0) return Time::max();
    return now + rate_.left();
  }
  void count_waiting(Time now) {
    const auto elapsed = now - std::exchange(since_, now);
    if (awaited_ == Awaited::body) rate_.wait(elapsed);
  }

  ClientLimits limits_;
  Awaited awaited_ = Awaited::nothing;
  Time since_{};
  Time deadline_ = Time::max();
  Time unread_at_ = Time::max();  // max: the socket takes everything
  std::uint64_t queued_ = UINT64_MAX;
  protocol::BodyRate rate_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
