#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

#include "daemon/bridge/reactor.hpp"
#include "daemon/config/address.hpp"
#include "protocol/output.hpp"

namespace viaduct::daemon::bridge {

/// A connected, non-blocking socket on a reactor. Tells its watcher, within an event of the
/// reactor, when it can be read or written, as long as that is so and asked for. That the peer has
/// closed, or an error, is told as readable even when that is not asked for, until reading has
/// found it out.
class Socket {
 public:
  Socket(Reactor& reactor, Watcher& watcher) : reactor_(reactor), watcher_(watcher) {}
  ~Socket() { close(); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// Owns the descriptor from now on; watches nothing yet. Throws std::system_error.
  void open(int descriptor);
  void close();
  /// Another process has the socket, too, and may change its options: close() switches SO_LINGER
  /// off, which would make it wait.
  void share() { shared_ = true; }
  /// Gives the descriptor to the caller.
  int release();
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

  void watch_input(bool watch) { change(EPOLLIN, watch); }
  [[nodiscard]] bool watches_input() const { return (events_ & EPOLLIN) != 0; }
  void watch_output(bool watch) { change(EPOLLOUT, watch); }

 private:
  void change(std::uint32_t event, bool watch);

  Reactor& reactor_;
  Watcher& watcher_;
  int descriptor_ = -1;
  std::uint32_t events_ = 0;
  bool shared_ = false;
};

/// Lets close() return at once, whatever SO_LINGER said.
void never_linger(int socket);

/// Gives an accepted TCP connection the options that it is to have, whatever it inherits: a former
/// bridge has the listening socket, too, as long as it drains, and may set there what it likes.
/// close() returns at once (SO_LINGER), and a peer that has vanished without a word is noticed
/// after two minutes of silence (SO_KEEPALIVE and its times). Elsewhere without effect.
void settle_options(int socket);

/// What one non-blocking receive or send came to.
struct Transfer {
  std::size_t bytes = 0;
  bool blocked = false;  ///< the socket would block
  bool ended = false;    ///< receive: the peer closed
  std::error_code error;
};

/// One recv() without blocking.
Transfer receive(int socket, std::span<std::byte> into);

/// Whether the peer has sent something that was not received yet.
[[nodiscard]] bool has_input(int socket);

/// Writes as much of `output` as the socket takes, without blocking and without SIGPIPE, and
/// consumes it. What is left is still referred to: see Output::settle.
Transfer send(int socket, protocol::Output& output);

/// Where to connect to, in the kernel's form.
struct Destination {
  sockaddr_storage storage{};
  socklen_t length = 0;  ///< 0: not a Unix socket nor an IP address
};

/// Bytes that were written and that the peer's kernel (TCP) or the peer (Unix) has not taken; 0
/// where the kernel does not say.
[[nodiscard]] std::uint64_t unacknowledged(int socket);

/// The same of a Unix socket to which so many bytes were written at once, then so many, and of
/// which the peer has read nothing; nothing when there are no descriptors to find out.
[[nodiscard]] std::optional<std::uint64_t> memory_of_writes(std::size_t first, std::size_t second);

/// `path` has at most 107 bytes.
Destination unix_destination(std::string_view path);
Destination destination_of(const config::Address& address);

/// A non-blocking socket whose connection has been made or is under way.
struct Connecting {
  int descriptor = -1;         ///< -1: it failed
  bool pending = false;        ///< writable once it is made or has failed; see pending_error
  std::error_code error = {};  ///< why it failed; EAGAIN: the backlog of a Unix socket is full
};
Connecting connect_to(const Destination& destination);

/// What became of a pending connection. Takes the error away.
std::error_code pending_error(int descriptor);

}  // namespace viaduct::daemon::bridge
