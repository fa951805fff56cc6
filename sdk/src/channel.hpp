#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>

#include "protocol/message.hpp"
#include "protocol/output.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

class Attachments;

/// Where the body of a request comes from.
class BodySource {
 public:
  virtual ~BodySource() = default;
  [[nodiscard]] virtual std::optional<std::uint64_t> length() const = 0;
  /// As Body::read.
  virtual std::size_t read(std::span<std::byte> into) = 0;
};

/// What a request knows of the process around it. Callable from any thread.
class RequestControl {
 public:
  virtual ~RequestControl() = default;
  [[nodiscard]] virtual std::stop_token stop() = 0;
  [[nodiscard]] virtual bool draining() const = 0;
  [[nodiscard]] virtual std::chrono::steady_clock::time_point deadline() const = 0;
  /// What all requests share; null where there is but one.
  [[nodiscard]] virtual Attachments* attachments() { return nullptr; }
};

/// Where a response goes: either whole() once, or head() once, body() any number of times, then
/// end() or fail() once. head(), body() and flush() throw client_gone once nobody waits for the
/// response.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  /// A complete response. What is passed stays as it is until the next request begins.
  virtual void whole(const protocol::ResponseHead& head, protocol::Bytes body) = 0;
  virtual void head(const protocol::ResponseHead& head) = 0;
  /// Waits until there is room for `bytes`; they are taken when it returns.
  virtual void body(protocol::Bytes bytes) = 0;
  /// Sends what was taken so far.
  virtual void flush() = 0;
  virtual void end() = 0;
  /// Ends a response that has begun so that it does not look complete.
  virtual void fail() = 0;
  /// The response is a stream without an end of its own: its request's stop() fires as soon as
  /// draining() is true. `heartbeat`, of static storage duration, is sent whenever nothing was sent
  /// for `interval` since the last flush(); never for 0. Called once flushed.
  virtual void stay_open(std::chrono::milliseconds interval, std::string_view heartbeat) {
    (void)interval;
    (void)heartbeat;
  }
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
