#pragma once

namespace viaduct::daemon::master {

/// What shows whether a listening socket still lets clients in. Everyone who has its descriptor can
/// end that, for all the others too: shutdown(2), or connect(2) with AF_UNSPEC.
struct ListenerCondition {
  bool tcp = false;        ///< otherwise a Unix socket
  bool listening = false;  ///< SO_ACCEPTCONN
  bool shut_down = false;  ///< POLLRDHUP or POLLHUP: a Unix socket says so, and still listens
  bool made = false;       ///< a viaductd has bound it, rather than the service manager
  bool taken = false;      ///< no other socket can be bound to its address
};

enum class ListenerRemedy {
  none,    ///< it listens
  bind,    ///< another socket takes its place, which nobody else has
  listen,  ///< the same socket can listen again, and be shut down again
  report,  ///< nothing can be done
};

ListenerRemedy remedy_for(const ListenerCondition& condition);

}  // namespace viaduct::daemon::master
