#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/errc.hpp"
#include "protocol/message.hpp"
#include "protocol/output.hpp"

namespace viaduct::protocol {

/// Limits of what a peer may make us store or keep. Sums are taken in 64 bits before use.
struct Limits {
  std::uint64_t params = 64 * 1024;  ///< bytes, names plus values of one request
  std::uint32_t name = 1024;         ///< bytes, one name
  std::uint32_t value = 64 * 1024;   ///< bytes, one value
  std::uint32_t count = 1024;        ///< variables of one request
  std::uint32_t requests = 1024;     ///< requests active at once on one connection
};

/// What a server-side codec reports. `bytes` and `head` are borrowed, see ServerCodec.
struct Event {
  enum class Kind : std::uint8_t {
    none,      ///< nothing (more): feed more bytes
    request,   ///< a request head is complete: `head`, which may be moved from
    body,      ///< a piece of the body: `bytes`, never empty
    body_end,  ///< the body is complete
    data,      ///< Filter role: a piece of FCGI_DATA: `bytes`
    data_end,  ///< Filter role: FCGI_DATA is complete
    abort,     ///< the peer gave the request up (`error` is ok), or its body is broken (`error`)
    refused,   ///< the request cannot be served: `error`. Answer it with head/body/end;
               ///< the rest of its input is skipped and not reported
    window,    ///< link only: the peer named its receive window: `count` bytes
    credit,    ///< link only: the peer returned `count` bytes of credit for a request
    draining,  ///< link only: the peer is about to begin no more requests
    trace,     ///< link only: the peer asks what the handler of a request is doing
    growth,    ///< FastCGI only: incomplete heads have grown by kGrowth bytes of memory
  };
  /// A few bytes for each of many requests may make each of their stores twice as large.
  static constexpr std::size_t kGrowth = 256 * 1024;

  Kind kind = Kind::none;
  RequestId id = 0;
  Errc error = Errc::ok;
  std::uint32_t count = 0;
  Bytes bytes{};
  RequestHead* head = nullptr;
};

/// The server side of one connection: turns bytes of the peer into events, and answers into bytes.
/// It performs no I/O, reads no clock and starts no thread. Not thread-safe.
///
/// Order of calls:
///
///     while (!bytes.empty()) {
///       bytes = bytes.subspan(codec.feed(bytes));
///       while (Event event = codec.next(); event.kind != Event::Kind::none) ...
///       if (codec.error() != Errc::ok) -> close the connection
///     }
///     write codec.output(), close when codec.closing() and the output is empty
///
/// Where requests are answered in order (HTTP), a later one is held by the codec until the response
/// before it has ended: `next` is to be drained behind `end` and `fail` too.
///
/// `feed` takes at least one byte of a non-empty span unless an event is waiting or the connection
/// is broken. Events are to be drained before the next `feed`; what they refer to is borrowed from
/// the bytes fed or from the codec and is valid until the next call of `feed`.
///
/// Answers: `head` once, `body` any number of times, `end` once, for an id that a `request` or
/// `refused` event named and that has not ended. `errors` at any time before `end`. Calls for other
/// ids are ignored, so that an answer may race with an abort. The codec appends answers, and what
/// the protocol itself makes it say, to `output()`.
class ServerCodec {
 public:
  virtual ~ServerCodec() = default;

  virtual std::size_t feed(Bytes bytes) = 0;
  virtual Event next() = 0;
  /// ok, or why the connection must be closed. Once set it stays, and nothing more is reported.
  [[nodiscard]] virtual Errc error() const = 0;

  /// Starts the response with exactly the status and fields given. A status that follows from other
  /// fields, such as 302 for a Location, is for the caller to set.
  virtual void head(RequestId id, const ResponseHead& head) = 0;
  /// The owner waits for the request's body. Lets a client send it that has asked first whether it
  /// may (HTTP's Expect: 100-continue); otherwise nothing. At any time before `head`.
  virtual void want_body(RequestId /*id*/) {}
  /// Appends body bytes; they are referred to, not copied (Output::refer).
  virtual void body(RequestId id, Bytes bytes) = 0;
  /// Diagnostics for the peer's log where the protocol has room for them (FCGI_STDERR); else none.
  virtual void errors(RequestId id, Bytes bytes) = 0;
  /// Completes the response. `app_status` is the exit status of FastCGI section 5.5.
  virtual void end(RequestId id, std::uint32_t app_status = 0) = 0;
  /// Ends a response that has begun and cannot be completed, such that the peer cannot take it for
  /// a complete one: framing is broken where end of file would look like success. Other requests
  /// that the connection carries end first.
  virtual void fail(RequestId id) = 0;
  /// The same for a response whose head announced more bytes than came: what came is delivered, and
  /// the end is one at which the peer compares lengths and breaks its client's connection.
  virtual void cut_short(RequestId id) { fail(id); }
  /// Takes back a response of which no byte has left `output()`, so that the request may be
  /// answered with another. False, with nothing changed, when a byte has left or other answers are
  /// mixed in.
  virtual bool take_back(RequestId /*id*/) { return false; }

  /// Bytes for the peer.
  [[nodiscard]] virtual Output& output() = 0;
  /// Whether the connection is to be closed once `output()` is written.
  [[nodiscard]] virtual bool closing() const = 0;
  /// Whether that close has to be abortive, because the protocol has no sign of its own for a
  /// broken response and end of file would look like success (see fail() of the SCGI codec).
  [[nodiscard]] virtual bool reset_on_close() const { return false; }
  /// Whether the peer may still be sending a body that nobody reads, once closing(). The kernel
  /// answers what arrives behind a close with a reset, which takes the response with it: the owner
  /// ends its own side and reads on for a while (RFC 9112 section 9.6).
  [[nodiscard]] virtual bool unread() const { return false; }
  /// Asks that the connection be closed with the end of the next response, or now when idle.
  virtual void close_after_response() = 0;
  /// Whether more input is welcome. False while enough of later requests is held until the response
  /// of the one before them has ended (HTTP pipelining): the owner stops reading from the peer.
  [[nodiscard]] virtual bool wants_input() const { return true; }
  /// No request is active and no partial input is held: the connection could be handed to another
  /// process without loss.
  [[nodiscard]] virtual bool idle() const = 0;
  /// Whether the peer has ever had more than one request active at once.
  [[nodiscard]] virtual bool multiplexed() const = 0;

  /// Bytes of memory that it holds: what has come of requests that are not reported yet, unsent
  /// output, and what is kept for later requests. Nothing once it was release()d while idle().
  [[nodiscard]] virtual std::size_t memory() const = 0;
  /// Gives back what is only kept for later requests. When next() has nothing more.
  virtual void release() {}
};

}  // namespace viaduct::protocol
