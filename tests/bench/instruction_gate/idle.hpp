#pragma once

#include <functional>

namespace viaduct::bench {

/// Make a program that callgrind counts take the same steps in every run.
///
/// - The clocks stand still, years ahead of the kernel's: no timer is set, and no wait with a time
///   limit ends by that.
/// - `peers` runs whenever the program has nothing left to do: one thread, which then runs `peers`,
///   would sleep in epoll_wait(), and all others wait for a condition variable. `peers` plays
///   everybody that the program talks to, and returns whether it did anything. Its instructions
///   are not counted. So no input comes while the program works.
/// - Sockets that connect have room for a whole batch, whatever the kernel's default is.
///
/// When nothing is left to do on either side for a minute, the process aborts.
///
/// Linked into a program, idle.cpp replaces clock_gettime(), time(), timerfd_settime(), connect()
/// and epoll_wait().
void run_when_idle(std::function<bool()> peers);

}  // namespace viaduct::bench
