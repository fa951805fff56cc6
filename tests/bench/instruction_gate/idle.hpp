#pragma once

#include <functional>

namespace viaduct::bench {

/// Makes a program that is counted by callgrind take the same steps in every run.
///
/// - The clocks stand still, years ahead of the kernel's: no timer is set, and no wait with a time
///   limit ends by that.
/// - `peers` runs whenever the program has nothing left to do and would sleep in epoll_wait(), on
/// the
///   thread that would sleep. Instructions of `peers` are not counted. It plays everybody that the
///   program talks to, and returns whether it did anything. The program is never interrupted by
///   input that comes while it works.
/// - Sockets that connect have room for a whole batch, whatever the kernel's default is.
///
/// When nothing is left to do on either side for ten seconds, the process aborts.
///
/// Linked into a program, these replace clock_gettime(), time(), timerfd_settime() and
/// epoll_wait().
void run_when_idle(std::function<bool()> peers);

}  // namespace viaduct::bench
