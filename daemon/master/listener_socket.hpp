#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/address.hpp"
#include "daemon/master/socket_address.hpp"
#include "daemon/master/socket_file.hpp"
#include "daemon/master/start_error.hpp"

namespace viaduct::daemon::master {

/// Why a socket cannot be had: "unix:/run/viaduct/web.sock is in use by pid 812 (viaductd)".
class ListenerError : public StartError {
  using StartError::StartError;
};

struct ListenerOptions {
  std::optional<uid_t> uid;  ///< owner of a socket file; absent: as the kernel makes it
  std::optional<gid_t> gid;
  mode_t mode = 0660;  ///< of a socket file
  std::uint32_t backlog = 4096;

  bool operator==(const ListenerOptions&) const = default;
};

/// What ListenerSocket::repair() has changed.
struct ListenerRepair {
  enum class Kind {
    listens_again,  ///< the same socket
    bound_anew,     ///< another socket: descriptor() has changed
    failed,         ///< clients are refused, and `failure` says why
  };
  Kind kind = Kind::failed;
  std::string listener;  ///< its address
  std::string failure;   ///< Kind::failed only
  /// An abstract name is free only when no process has the former socket any more.
  bool held_by_others = false;
};

/// A listening, non-blocking, close-on-exec stream socket. Socket files that this object made are
/// removed by unlink(), never by the destructor: a successor may be using the path.
class ListenerSocket {
 public:
  /// Creates the socket; throws ListenerError. A socket file gets owner and mode before anybody can
  /// connect. The file of a dead daemon is replaced; one on which somebody listens, or anything
  /// that is no socket, is refused. Not for Kind::systemd.
  static ListenerSocket open(const config::Address& address, const ListenerOptions& options);

  /// Takes over an inherited listening stream socket; throws ListenerError when it is none. A TCP
  /// socket that is bound and on which somebody has ended the listening listens again.
  static ListenerSocket inherit(UniqueFd descriptor, const config::Address& address);

  /// Takes over a listening socket of another viaductd, with the file that was made for it if
  /// `made` and if that is still there (in_place()). Throws ListenerError when it is no stream
  /// socket. Changes nothing of it: where a bridge has ended the listening, repair() puts it right
  /// once the socket is this daemon's.
  static ListenerSocket take_over(UniqueFd descriptor, const config::Address& address, bool made);

  int descriptor() const noexcept { return descriptor_.get(); }
  const config::Address& address() const noexcept { return address_; }
  std::uint16_t port() const;  ///< that a TCP socket is bound to

  /// Whether a viaductd opened it, rather than the service manager.
  bool made() const noexcept { return made_; }

  /// Whether clients reach it at its address. False once the file of a socket that a viaductd
  /// opened is gone, or another one is at its path: only open() helps. Always true for other
  /// sockets.
  bool in_place() const noexcept;

  /// Changes owner, mode and backlog of a socket that stays open. Throws ListenerError, also when
  /// something else has taken the place of its file; that is left alone.
  void apply(const ListenerOptions& options);

  /// Puts a socket right on which a bridge has ended the listening: binds another to its address,
  /// with the care of open(). A socket of the service manager cannot be replaced; over TCP it
  /// listens again. Returns what has changed since the last call: after a failure each call tries
  /// again, and says so once.
  std::optional<ListenerRepair> repair();

  /// Why clients are refused, as repair() has found it; "" when they are not.
  const std::string& failure() const noexcept { return failure_; }

  /// How often another socket has taken the place of the first.
  std::uint32_t replaced() const noexcept { return replaced_; }

  /// Takes back what a bridge may have set on the socket and connections would inherit: SO_LINGER,
  /// by which their close() waits, SO_RCVLOWAT, below which they are not readable, and of a socket
  /// that viaductd made TCP_NODELAY, TCP_DEFER_ACCEPT and TCP_USER_TIMEOUT, which a socket unit may
  /// set. A bridge gives each connection SO_LINGER, SO_KEEPALIVE and its times itself, since its
  /// predecessor may set them again at any moment.
  void reset_options() noexcept;

  /// Leaves the socket file to another daemon: unlink() does nothing from now on.
  void disown() noexcept { file_.reset(); }

  /// Another socket at this address, of a viaductd before this one, that clients no longer reach.
  /// Clients that have connected to it wait in it: a bridge is given it before this one.
  void keep_former(UniqueFd former) { former_ = std::move(former); }
  bool has_former() const noexcept { return static_cast<bool>(former_); }
  /// That socket, once; none: -1.
  UniqueFd take_former() { return std::move(former_); }

  /// Removes the socket file if it is still the one made by open().
  void unlink() noexcept;

 private:
  ListenerSocket(UniqueFd descriptor, config::Address address);

  static ListenerSocket adopt(UniqueFd descriptor, const config::Address& address);
  bool listen_again() noexcept;
  void bind_anew();
  std::optional<ListenerRepair> failed(const std::string& why);
  ListenerRepair repaired(ListenerRepair::Kind kind);

  UniqueFd descriptor_;
  UniqueFd former_;
  config::Address address_;
  SocketAddress bound_;  // with the port that the kernel chose
  ListenerOptions options_{};
  bool made_ = false;
  std::string failure_;
  std::uint32_t replaced_ = 0;
  std::optional<SocketFile> file_;  // only of a file that open() made, here or in a predecessor
};

}  // namespace viaduct::daemon::master
