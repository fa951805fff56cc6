#pragma once

#include "daemon/master/inherited_sockets.hpp"
#include "daemon/master/listener_set.hpp"
#include "daemon/master/notifier.hpp"
#include "daemon/master/stored_listener.hpp"

namespace viaduct::daemon::master {

/// Keeps the listening sockets that viaductd has opened in the service manager's descriptor store,
/// so that connections wait in them while it is started again. Those of socket units the manager
/// has anyway.
///
/// The store lasts as long as the service: the manager empties it once that has stopped or failed
/// for good, not when it follows itself.
class ListenerStore {
 public:
  /// `notifier` is borrowed.
  explicit ListenerStore(Notifier& notifier) : notifier_(notifier) {}

  /// Whether there is a store.
  bool enabled() const { return notifier_.keeps_descriptors(); }

  /// Sockets that came back from the store, before anybody takes them.
  void begin_with(const InheritedSockets& inherited);
  /// Sockets of a viaductd that this one replaces, which may have stored them.
  void begin_with(const ListenerSet& predecessor);

  /// From now on there are these listeners. Sockets that came back and that nobody has taken are
  /// closed, and their files removed.
  void update(const ListenerSet& listeners, InheritedSockets& inherited);

  /// Nothing is to be there when the daemon comes back, if it does.
  void clear();

 private:
  void become(const StoreContent& content, const ListenerSet& listeners);

  Notifier& notifier_;
  StoreContent content_;
};

}  // namespace viaduct::daemon::master
