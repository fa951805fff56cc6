#include "tests/bench/instruction_gate/sleepers.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace {

std::atomic<int> sleepers{0};

class Sleeper {
 public:
  Sleeper() { ++sleepers; }
  ~Sleeper() { --sleepers; }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
};

// Use no heap: its state decides what the program's next allocation costs.
int count_threads() {
  char text[4096] = {};
  const int file = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  const ssize_t size = ::read(file, text, sizeof text - 1);
  ::close(file);
  const char* const threads = size > 0 ? std::strstr(text, "\nThreads:") : nullptr;
  if (threads == nullptr) {
    std::fputs("no Threads: in /proc/self/status\n", stderr);
    std::abort();
  }
  return std::atoi(threads + std::strlen("\nThreads:"));
}

}  // namespace

namespace viaduct::bench {

bool others_sleep() {
  return sleepers == count_threads() - 1;
}

}  // namespace viaduct::bench

// The linker's names (ld --wrap): std::condition_variable::wait(), and beneath wait_for().
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

using Wait = void(std::condition_variable*, std::unique_lock<std::mutex>&);
using ClockWait = int(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*);
Wait __real__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE;
ClockWait __real_pthread_cond_clockwait;

void __wrap__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE(
    std::condition_variable* condition, std::unique_lock<std::mutex>& lock) {
  const Sleeper sleeper;
  __real__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE(condition, lock);
}

int __wrap_pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                  clockid_t clock, const timespec* until) {
  const Sleeper sleeper;
  return __real_pthread_cond_clockwait(condition, mutex, clock, until);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
