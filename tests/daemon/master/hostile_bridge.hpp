#pragma once

#include <string_view>

namespace viaduct::daemon::master {

/// A bridge that somebody has taken over: sends what `deed` says to its master, then stays until it
/// is killed. Returns only when it cannot do that.
///
///   well-behaved   one message that a bridge sends
///   type           a message that only the master sends
///   unknown        a message of a type that does not exist
///   app            an app that does not exist
///   text           text without its NUL
///   size           half a message
///   long           a packet of a whole page
///   bytes          two messages without a boundary
///   answer         a long answer to a question that nobody asked
///   socket         the attempt to send a message with a descriptor through the master's socket;
///                  then, when the kernel has refused, as `well-behaved`
///   early          a message before the first one
///   twice          the first message, twice
///   left           says that it has left, which nobody told it to do
///   flood          demands without end
///   kill           asks without end to replace every worker, and some that there are not
///   sockets        tries without end to give the master sockets whose close() waits
///   board          tries to change the size of its scoreboard, then counts, fails and makes
///                  progress without end, and punches holes in between
///   shutdown       as soon as it may accept, ends the listening of its listeners without end
///   relentless     the same, and that of the sockets it is given in their place
///   orphan         the same, once it is told to leave them to another bridge
///   control SOCKET FILE [GATE]  asks the control socket for the status, once the file GATE is
///                  there; the answer goes into FILE
///   caller SOCKET FILE GATE  the same, also before it may accept
///   silent         the first message and no other
///   list WHAT      waits for list_requests, then answers with bytes that are no list (`bytes`),
///                  with more than there is memory (`size`), twice (`twice`), or as it should
///                  (`good`)
int hostile_bridge(std::string_view deed);

}  // namespace viaduct::daemon::master
