#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "protocol/codec.hpp"
#include "protocol/fastcgi/server_codec.hpp"
#include "sdk/src/runtime/client_patience.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

class Exchange;

/// The requests of one connection by id. Ids are small numbers by custom (FastCGI 3.3), so those
/// are found in an array; a peer that picks others makes it no larger.
class ExchangeTable {
 public:
  [[nodiscard]] Exchange* find(protocol::RequestId id) const;
  void insert(protocol::RequestId id, Exchange& exchange);
  void erase(protocol::RequestId id);
  [[nodiscard]] std::size_t size() const { return size_; }
  /// All of them, in no order.
  [[nodiscard]] std::vector<Exchange*> list() const;

 private:
  static constexpr std::size_t kSmall = 2048;
  std::vector<Exchange*> small_;
  std::unordered_map<protocol::RequestId, Exchange*> large_;
  std::size_t size_ = 0;
};

/// One connection and its codec. All members are guarded by the engine's mutex, except that the
/// thread which performs input may use fd(): only that thread closes it.
class Link {
 public:
  enum class Sent : std::uint8_t {
    all,      ///< nothing is waiting any more
    blocked,  ///< the socket takes no more for now
    broken,   ///< the peer is gone
  };

  Link(boost::asio::io_context& io, int fd, std::unique_ptr<protocol::ServerCodec> codec,
       protocol::fastcgi::ServerCodec* fastcgi, const ClientLimits& limits);

  [[nodiscard]] int fd() { return descriptor.native_handle(); }
  /// Writes what the codec has put out, as far as the socket takes it, and settles the rest.
  Sent send();
  /// Bytes written that the peer's kernel (TCP) or the peer has not taken; 0 where that is unknown.
  [[nodiscard]] std::uint64_t unacknowledged();
  /// Whether bytes wait to be received.
  [[nodiscard]] bool readable();
  /// Closes the socket, abortively where the codec wants that.
  void close();

  boost::asio::posix::stream_descriptor descriptor;
  const std::unique_ptr<protocol::ServerCodec> codec;
  protocol::fastcgi::ServerCodec* const fastcgi;  ///< the same codec, if it is that one

  ExchangeTable exchanges;
  /// The peer's receive window, once flow control is agreed on.
  std::optional<std::uint32_t> window;
  /// The peer is about to give no more requests. Read by handlers without the mutex.
  std::atomic<bool> draining = false;
  ClientPatience patience;
  bool http = false;          ///< no front server says who the client is
  bool trusted_peer = false;  ///< ClientSource::trusts() the peer
  bool open = true;
  bool awaiting_input = false;        ///< a wait for readability is under way
  bool awaiting_room = false;         ///< a wait for writability is under way
  bool paused = false;                ///< not read, because a handler has too much unread body
  bool dirty = false;                 ///< in the engine's list of links with output to send
  bool failed = false;                ///< the peer is gone, close() is on its way
  bool unread_input = false;          ///< a request ended before its body did
  bool lingering = false;             ///< our side is closed, the rest of the input is dropped
  std::uint32_t blocked_writers = 0;  ///< handlers with credit that wait for output to drain
  std::chrono::steady_clock::time_point linger_until{};
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
