#pragma once

namespace viaduct::daemon::bridge {

/// The bridge process: runs until the master says drain and everything is served, or the master is
/// gone. Finds its descriptors where channel/message.hpp says. Returns the exit status: 0, or 70
/// when it could not start (logged).
int run();

}  // namespace viaduct::daemon::bridge
