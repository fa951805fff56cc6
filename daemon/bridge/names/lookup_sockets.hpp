#pragma once

#include <ares.h>

namespace viaduct::daemon::bridge {

/// Makes the channel's sockets non-blocking from the start. Left to itself, c-ares changes them
/// with F_SETFL, which the sandbox forbids.
void use_nonblocking_sockets(ares_channel channel);

}  // namespace viaduct::daemon::bridge
