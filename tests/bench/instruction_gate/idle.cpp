#include "tests/bench/instruction_gate/idle.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <valgrind/callgrind.h>

#include "tests/bench/instruction_gate/sleepers.hpp"

namespace {

// 2050-01-01 00:00 UTC.
constexpr time_t kNow = 2'524'608'000;
constexpr int kPatienceMs = 60'000;
constexpr int kRoom = 4 * 1024 * 1024;

std::function<bool()>& peers() {
  static std::function<bool()> all;
  return all;
}

}  // namespace

namespace viaduct::bench {

void run_when_idle(std::function<bool()> all) {
  peers() = std::move(all);
}

}  // namespace viaduct::bench

// The definitions of the program itself come before those of the C library, in libraries too.
extern "C" {

[[gnu::visibility("default")]] int clock_gettime(clockid_t, timespec* time) noexcept {
  *time = {.tv_sec = kNow, .tv_nsec = 0};
  return 0;
}

[[gnu::visibility("default")]] time_t time(time_t* time) noexcept {
  if (time != nullptr) *time = kNow;
  return kNow;
}

[[gnu::visibility("default")]] int timerfd_settime(int, int, const itimerspec*,
                                                   itimerspec*) noexcept {
  return 0;
}

[[gnu::visibility("default")]] int connect(int socket, const sockaddr* address, socklen_t size) {
  const int result = static_cast<int>(::syscall(SYS_connect, socket, address, size));
  // The kernel gives net.core.wmem_max at most.
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kRoom, sizeof kRoom);
  return result;
}

[[gnu::visibility("default")]] int epoll_wait(int set, epoll_event* events, int room, int timeout) {
  if (timeout == 0 || !peers()) return ::epoll_pwait(set, events, room, timeout, nullptr);
  CALLGRIND_TOGGLE_COLLECT;
  for (int quiet = 0; quiet < kPatienceMs; ++quiet) {
    const int ready = ::epoll_pwait(set, events, room, quiet > 0 ? 1 : 0, nullptr);
    if (ready != 0) {
      CALLGRIND_TOGGLE_COLLECT;
      return ready;
    }
    if (viaduct::bench::others_sleep() && peers()()) quiet = -1;
  }
  std::fputs("neither the program nor its peers have anything to do\n", stderr);
  std::abort();
}

}  // extern "C"
