#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/bridge/link/taking.hpp"
#include "daemon/channel/message.hpp"
#include "daemon/config/request_settings.hpp"
#include "protocol/message.hpp"

namespace viaduct::daemon::bridge {

/// What happens to a request when it arrives.
enum class Admission : std::uint8_t {
  send,     ///< a worker has a free slot
  wait,     ///< it queues
  full,     ///< the queue is at its limit: 503
  failing,  ///< no worker, and none is being started: 503
};

/// What admission depends on. `queued` counts all threads of the bridge.
struct Load {
  bool slot_free = false;
  bool others_wait = false;  ///< earlier requests of this app wait on this thread
  std::uint32_t queued = 0;
  std::uint32_t queue_limit = 0;
  channel::AppState state = channel::AppState::starting;
};

Admission admit(const Load& load);

/// Why a request cannot be told to servers that speak a protocol, and how it is answered.
struct Inexpressible {
  int status = 0;
  std::string_view why;
};
std::optional<Inexpressible> inexpressible(config::ServerProtocol protocol,
                                           const protocol::RequestHead& head);

/// Whether a request asks for another protocol (RFC 9110 section 7.8): the field Upgrade names one,
/// and Connection, which not every front server passes on, names Upgrade.
bool asks_for_upgrade(const protocol::RequestHead& head);

/// Whether a request may become a tunnel before it is complete: a GET (RFC 6455 section 4.1) that
/// asks for another protocol and announces no body, neither by its length nor by a transfer coding.
/// Other methods have a body to wait for, whatever they ask. Not for h2c, which curl offers with
/// every request and no application behind a front server can speak.
bool asks_for_tunnel(const protocol::RequestHead& head);

/// A request whose body is not complete yet.
struct BodyToCome {
  config::Buffering buffering = config::Buffering::automatic;
  Taking taking = Taking::unknown;
  protocol::Role role = protocol::Role::responder;
  bool length_needed = false;           ///< the servers' protocol has no end of the body
  std::optional<std::uint64_t> length;  ///< as announced, of FCGI_STDIN
  bool tunnel = false;                  ///< asks_for_tunnel(), where the listener allows one
};

/// Bodies up to so many bytes come first where a thread would wait for them.
inline constexpr std::uint64_t kGatheredForThreads = 1024 * 1024;
inline constexpr std::uint64_t kGatheredWhole = UINT64_MAX;

/// Bytes of the body that are gathered before a worker is taken: a body that ends before is given
/// to the worker whole, a longer one streams. 0: the worker is taken at once.
std::uint64_t bytes_to_gather(const BodyToCome& body);

/// Methods that may be sent twice (RFC 9110 section 9.2.2).
bool idempotent(std::string_view method);

/// A request whose worker was lost before its response head.
struct Loss {
  config::Retry policy = config::Retry::idempotent;
  std::string_view method;
  bool delivered = true;  ///< at least one of its bytes was written to the link
  bool body_held = true;  ///< all of the body that has been passed on can be passed on again
  unsigned attempts = 1;  ///< workers that have had it
  unsigned servers = 0;   ///< of an app whose servers others run; 0: it has workers
};

/// Whether it is sent to another worker: once at most, with its body still held, and only when it
/// never reached the first or its method allows a repetition. While it reaches none, it is tried as
/// often as there are servers, and once more.
bool may_retry(const Loss& loss);

/// A plain worker whose connection was closed may still run its request: nobody can tell it to end.
struct StillRunning {
  using Time = std::chrono::steady_clock::time_point;

  Time now;
  Time deadline;                        ///< of the request that it was given; Time::max(): none
  std::chrono::milliseconds run_on{0};  ///< what it may still run for that began before
  std::chrono::milliseconds abort{0};   ///< timeouts.abort; 0: off
};

/// When it is replaced unless it is free by then; Time::max(): never. A request that had queued has
/// little left of its own time, and says nothing of one that began before it.
StillRunning::Time recovery_deadline(const StillRunning& running);

}  // namespace viaduct::daemon::bridge
