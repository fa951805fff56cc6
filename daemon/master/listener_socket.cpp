#include "daemon/master/listener_socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <system_error>
#include <utility>

#include "daemon/log/escape.hpp"
#include "daemon/master/exit_text.hpp"
#include "daemon/master/listener_remedy.hpp"
#include "daemon/master/port_holder.hpp"
#include "daemon/master/socket_address.hpp"
#include "daemon/master/stored_listener.hpp"

namespace viaduct::daemon::master {

namespace {

using config::Address;

[[noreturn]] void fail(const Address& address, const std::string& what, int error = 0) {
  throw ListenerError(format(address) + what, error);
}

[[noreturn]] void fail(const Address& address, const char* call, int error) {
  fail(address, std::string(": ") + call + ": " + error_text(error), error);
}

[[noreturn]] void fail_in_use(const Address& address, pid_t pid) {
  std::string text = " is in use";
  if (pid > 0) text += " by pid " + std::to_string(pid);
  // Each process chooses its name, and this text goes to a terminal.
  const std::string name = pid > 0 ? log::escape_controls(process_name(pid)) : "";
  if (!name.empty()) text += " (" + name + ")";
  fail(address, text, EADDRINUSE);
}

[[noreturn]] void fail(const Address& address, const std::system_error& error) {
  const char* name = ::strerrorname_np(error.code().value());
  fail(address, ": " + std::string(error.what()) + (name ? " (" + std::string(name) + ")" : ""),
       error.code().value());
}

[[noreturn]] void fail_unfit(const Address& address) {
  fail(address, ": the inherited descriptor is no listening stream socket");
}

int backlog_of(const ListenerOptions& options) {
  return static_cast<int>(std::min<std::uint32_t>(options.backlog, INT_MAX));
}

bool is_listening(int socket) {
  int listening = 0;
  socklen_t size = sizeof(listening);
  return ::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

ListenerCondition condition_of(int socket, bool made) {
  int family = AF_UNSPEC;
  socklen_t size = sizeof(family);
  ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size);
  pollfd state{socket, POLLRDHUP, 0};
  const bool shut_down =
      ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLNVAL)) != 0;
  return {.tcp = family == AF_INET || family == AF_INET6,
          .listening = is_listening(socket),
          .shut_down = shut_down,
          .made = made};
}

UniqueFd make_socket(const Address& address, int family) {
  UniqueFd made(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made) fail(address, "socket", errno);
  return made;
}

// Removes the file of a dead daemon; leaves alone and refuses everything else.
void make_room(const Address& address, const SocketAddress& target) {
  struct stat status {};
  if (::lstat(address.name.c_str(), &status) != 0) {
    if (errno == ENOENT) return;
    fail(address, "stat", errno);
  }
  if (!S_ISSOCK(status.st_mode)) fail(address, " exists and is no socket");
  const Probe probe = probe_listener(target);
  if (probe.alive || probe.error == 0) fail_in_use(address, probe.pid);
  if (probe.error != ECONNREFUSED) fail(address, "connect", probe.error);
  if (const auto file = SocketFile::find(address.name)) file->unlink();
}

void bind_tcp(UniqueFd& made, const Address& address, const SocketAddress& target, int& error) {
  made = make_socket(address, target.family());
  const int on = 1;
  ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  error = ::bind(made.get(), target.get(), target.length) == 0 ? 0 : errno;
}

UniqueFd open_tcp(const Address& address, const ListenerOptions& options) {
  std::vector<SocketAddress> targets;
  try {
    targets = tcp_addresses(address.name, address.port);
  } catch (const UnknownHost& error) {
    fail(address, ": " + std::string(error.what()), error.error());
  }
  UniqueFd made;
  SocketAddress taken;
  int error = EADDRNOTAVAIL;
  // A name may resolve to an address family that this machine does not use.
  for (const SocketAddress& target : targets) {
    bind_tcp(made, address, target, error);
    if (error == EADDRINUSE) taken = target;
    if (error != EADDRNOTAVAIL && error != EAFNOSUPPORT) break;
  }
  if (error == EADDRINUSE) fail_in_use(address, port_holder(taken));
  if (error != 0) fail(address, "bind", error);
  if (::listen(made.get(), backlog_of(options)) != 0) fail(address, "listen", errno);
  return made;
}

UniqueFd listen_tcp(const Address& address, const SocketAddress& target,
                    const ListenerOptions& options) {
  UniqueFd made;
  int error = 0;
  bind_tcp(made, address, target, error);
  if (error != 0) fail(address, "bind", error);
  if (::listen(made.get(), backlog_of(options)) != 0) fail(address, "listen", errno);
  return made;
}

UniqueFd open_abstract(const Address& address, const ListenerOptions& options) {
  const SocketAddress target = unix_address(address.name, true);
  UniqueFd made = make_socket(address, AF_UNIX);
  if (::bind(made.get(), target.get(), target.length) != 0) {
    if (errno == EADDRINUSE) fail_in_use(address, probe_listener(target).pid);
    fail(address, "bind", errno);
  }
  if (::listen(made.get(), backlog_of(options)) != 0) fail(address, "listen", errno);
  return made;
}

struct Opened {
  UniqueFd descriptor;
  std::optional<SocketFile> file;
};

Opened open_file(const Address& address, const ListenerOptions& options) {
  SocketFile::check_place(address.name);
  make_room(address, unix_address(address.name));
  UniqueFd made = make_socket(address, AF_UNIX);
  const SocketFile file = SocketFile::bind(made.get(), address.name, options.mode);
  // Nobody can connect before listen(): the permissions are complete by then.
  try {
    file.set_owner(options.uid, options.gid);
    if (::listen(made.get(), backlog_of(options)) != 0) fail(address, "listen", errno);
  } catch (...) {
    file.unlink();
    throw;
  }
  return {std::move(made), file};
}

Opened open_address(const Address& address, const ListenerOptions& options) {
  switch (address.kind) {
    case Address::Kind::tcp:
      return {open_tcp(address, options), std::nullopt};
    case Address::Kind::unix_abstract:
      return {open_abstract(address, options), std::nullopt};
    case Address::Kind::unix_path:
      return open_file(address, options);
    case Address::Kind::systemd:
      break;
  }
  fail(address, ": not inherited");
}

}  // namespace

ListenerSocket::ListenerSocket(UniqueFd descriptor, config::Address address)
    : descriptor_(std::move(descriptor)), address_(std::move(address)) {
  bound_.length = sizeof(bound_.storage);
  ::getsockname(descriptor_.get(), reinterpret_cast<sockaddr*>(&bound_.storage), &bound_.length);
}

ListenerSocket ListenerSocket::open(const Address& address, const ListenerOptions& options) {
  try {
    Opened opened = open_address(address, options);
    ListenerSocket made(std::move(opened.descriptor), address);
    made.made_ = true;
    made.file_ = std::move(opened.file);
    made.options_ = options;
    return made;
  } catch (const std::system_error& error) {
    fail(address, error);
  }
}

ListenerSocket ListenerSocket::adopt(UniqueFd descriptor, const Address& address) {
  int type = 0;
  socklen_t size = sizeof(int);
  if (::getsockopt(descriptor.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    fail(address, "inherited descriptor", errno);
  }
  if (type != SOCK_STREAM) fail_unfit(address);
  ::fcntl(descriptor.get(), F_SETFD, FD_CLOEXEC);
  ::fcntl(descriptor.get(), F_SETFL, ::fcntl(descriptor.get(), F_GETFL) | O_NONBLOCK);
  return {std::move(descriptor), address};
}

ListenerSocket ListenerSocket::inherit(UniqueFd descriptor, const Address& address) {
  ListenerSocket inherited = adopt(std::move(descriptor), address);
  const bool listens = is_listening(inherited.descriptor()) ||
                       (inherited.port() != 0 && ::listen(inherited.descriptor(), SOMAXCONN) == 0);
  if (!listens) fail_unfit(address);
  return inherited;
}

ListenerSocket ListenerSocket::take_over(UniqueFd descriptor, const Address& address, bool made) {
  ListenerSocket taken = adopt(std::move(descriptor), address);
  taken.made_ = made;
  const bool has_file = made && address.kind == Address::Kind::unix_path;
  // What is at the path now may be another's.
  if (has_file && is_reached_at(taken.descriptor(), address)) {
    taken.file_ = SocketFile::find(address.name);
  }
  return taken;
}

bool ListenerSocket::in_place() const noexcept {
  if (!made_ || address_.kind != Address::Kind::unix_path) return true;
  return file_ && file_->in_place();
}

std::uint16_t ListenerSocket::port() const {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (::getsockname(descriptor(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in&>(bound).sin_port);
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
  return 0;
}

void ListenerSocket::apply(const ListenerOptions& options) {
  if (address_.kind == Address::Kind::systemd) return;
  options_ = options;
  if (::listen(descriptor(), backlog_of(options)) != 0) fail(address_, "listen", errno);
  if (!file_) return;
  try {
    file_->set_owner(options.uid, options.gid);
    file_->set_mode(options.mode);
  } catch (const std::system_error& error) {
    fail(address_, error);
  }
}

bool ListenerSocket::listen_again() noexcept {
  const int backlog = made_ ? backlog_of(options_) : SOMAXCONN;
  if (::listen(descriptor(), backlog) == 0) return true;
  // It may be connected to somebody by now.
  const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
  if (::connect(descriptor(), &nobody, sizeof(nobody)) != 0) return false;
  return ::listen(descriptor(), backlog) == 0;
}

void ListenerSocket::bind_anew() {
  unlink();
  // This descriptor, too, keeps the name in use.
  if (address_.kind == Address::Kind::unix_abstract) descriptor_ = make_socket(address_, AF_UNIX);
  // Nobody is asked again what the name of a host stands for.
  Opened opened = address_.kind == Address::Kind::tcp
                      ? Opened{listen_tcp(address_, bound_, options_), std::nullopt}
                      : open_address(address_, options_);
  descriptor_ = std::move(opened.descriptor);
  file_ = std::move(opened.file);
  ++replaced_;
}

std::optional<ListenerRepair> ListenerSocket::repair() {
  ListenerCondition condition = condition_of(descriptor(), made_);
  std::string why = format(address_) + ": shut down";
  if (remedy_for(condition) == ListenerRemedy::bind) {
    try {
      bind_anew();
      return repaired(ListenerRepair::Kind::bound_anew);
    } catch (const std::runtime_error& error) {
      why = error.what();
    }
    condition.taken = true;
  }
  switch (remedy_for(condition)) {
    case ListenerRemedy::none:
      if (failure_.empty()) return std::nullopt;
      return repaired(ListenerRepair::Kind::listens_again);
    case ListenerRemedy::listen:
      if (listen_again()) return repaired(ListenerRepair::Kind::listens_again);
      break;
    case ListenerRemedy::bind:
      break;
    case ListenerRemedy::report:
      if (!made_) why += "; restart the socket unit of its descriptor, \"" + address_.name + "\"";
      break;
  }
  return failed(why);
}

ListenerRepair ListenerSocket::repaired(ListenerRepair::Kind kind) {
  failure_.clear();
  return {.kind = kind, .listener = format(address_), .failure = {}};
}

std::optional<ListenerRepair> ListenerSocket::failed(const std::string& why) {
  // The text can name a process, which chooses its name.
  const bool first = failure_.empty();
  if (std::exchange(failure_, why) == why) return std::nullopt;
  return ListenerRepair{.kind = ListenerRepair::Kind::failed,
                        .listener = format(address_),
                        .failure = why,
                        .held_by_others = first && address_.kind == Address::Kind::unix_abstract};
}

void ListenerSocket::reset_options() noexcept {
  const linger none{};
  ::setsockopt(descriptor(), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
  const int least = 1;
  ::setsockopt(descriptor(), SOL_SOCKET, SO_RCVLOWAT, &least, sizeof(least));
  // A socket unit may say NoDelay=yes or DeferAcceptSec=.
  if (!made_ || bound_.family() == AF_UNIX) return;
  const int off = 0;
  for (const int name : {TCP_NODELAY, TCP_DEFER_ACCEPT, TCP_USER_TIMEOUT}) {
    ::setsockopt(descriptor(), IPPROTO_TCP, name, &off, sizeof(off));
  }
}

void ListenerSocket::unlink() noexcept {
  if (file_) file_->unlink();
  file_.reset();
}

}  // namespace viaduct::daemon::master
