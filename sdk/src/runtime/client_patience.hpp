#pragma once

#include <chrono>
#include <cstdint>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// How long a client that reaches us without a front server may keep a connection to itself. Zero:
/// for ever. The handler of a request that has begun waits for its body as long as it likes.
struct ClientLimits {
  /// Between requests. More than the 60 s after which nginx gives up an idle connection of its own.
  std::chrono::milliseconds idle{75000};
  /// From the first to the last byte of a head.
  std::chrono::milliseconds head{30000};
};

/// When a client has been waited for long enough. Is told the time, and performs nothing itself.
class ClientPatience {
 public:
  using Time = std::chrono::steady_clock::time_point;

  enum class Awaited : std::uint8_t {
    nothing,  ///< a request is in hand: it is ours to go on
    request,  ///< the first byte of one
    head,     ///< the rest of one
  };

  explicit ClientPatience(const ClientLimits& limits) : limits_(limits) {}

  /// What is awaited from now on. The same as before: the clock runs on.
  void await(Awaited what, Time now) {
    if (what == awaited_) return;
    awaited_ = what;
    restart(now);
  }
  /// The client has shown that it is alive, otherwise than by what is awaited.
  void restart(Time now) {
    const std::chrono::milliseconds limit = awaited_ == Awaited::request ? limits_.idle
                                            : awaited_ == Awaited::head
                                                ? limits_.head
                                                : std::chrono::milliseconds(0);
    deadline_ = limit.count() == 0 ? Time::max() : now + limit;
  }
  /// When to close the connection, unless told otherwise before.
  [[nodiscard]] Time deadline() const { return deadline_; }

 private:
  ClientLimits limits_;
  Awaited awaited_ = Awaited::nothing;
  Time deadline_ = Time::max();
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
