#include "daemon/master/listener_remedy.hpp"

namespace viaduct::daemon::master {

ListenerRemedy remedy_for(const ListenerCondition& condition) {
  // A TCP socket is back in its first state then, with its port; a Unix socket stays shut down.
  const bool shut_down = !condition.tcp && condition.shut_down;
  if (condition.listening && !shut_down) return ListenerRemedy::none;
  if (condition.made && !condition.taken) return ListenerRemedy::bind;
  return condition.tcp ? ListenerRemedy::listen : ListenerRemedy::report;
}

}  // namespace viaduct::daemon::master
