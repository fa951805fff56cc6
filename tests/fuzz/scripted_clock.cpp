#include "tests/fuzz/scripted_clock.hpp"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace {

std::chrono::nanoseconds now = std::chrono::hours(1);

}  // namespace

// Of all that asks for the time, in libraries too, this program's own definition comes first.
extern "C" [[gnu::visibility("default")]] int clock_gettime(clockid_t clock,
                                                            timespec* time) noexcept {
  if (clock != CLOCK_MONOTONIC) return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now);
  time->tv_sec = seconds.count();
  time->tv_nsec = (now - seconds).count();
  return 0;
}

namespace viaduct::test {

void advance_clock(std::chrono::milliseconds time) {
  now += time;
}

}  // namespace viaduct::test
