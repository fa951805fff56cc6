#pragma once

#include <chrono>
#include <cstdint>

#include "sdk/src/testing/reply_builder.hpp"
#include "sdk/src/testing/transport.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {

/// A TCP connection to a port of 127.0.0.1, closed with the object.
class Connection {
 public:
  using Clock = std::chrono::steady_clock;

  /// Throws std::system_error.
  explicit Connection(std::uint16_t port);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Sends what `transport` has for the peer and feeds it what comes, both at once, until it is
  /// done or the client has left. Returns false when `until` comes first.
  [[nodiscard]] bool perform(Transport& transport, ReplyBuilder& reply, Clock::time_point until);

 private:
  void send(protocol::Output& output);
  /// False at the end of what the peer sends.
  bool receive(Transport& transport, ReplyBuilder& reply);

  int fd_;
};

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
