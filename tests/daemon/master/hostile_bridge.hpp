#pragma once

#include <string_view>

namespace viaduct::daemon::master {

/// A bridge that somebody has taken over: sends what `deed` says to its master, then stays until it
/// is killed. Returns only when it cannot do that.
///
///   well-behaved   one message that a bridge sends
///   type           a message that only the master sends
///   app            an app that does not exist
///   text           text without its NUL
///   size           half a message
///   descriptor     a descriptor with a message that has none
///   descriptors    two descriptors with one that may have one
///   flood          messages without end
int hostile_bridge(std::string_view deed);

}  // namespace viaduct::daemon::master
