// Crashes in every way, for runtime/crash_reporter_test.cpp.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string_view>
#include <thread>

#include <viaduct/viaduct.hpp>

namespace {

std::atomic<bool> out_of_memory{false};

volatile int* volatile nowhere = nullptr;
void (*volatile no_function)() = nullptr;
volatile int sink = 0;

}  // namespace

// The thread that puts stacks into words: all others take SIGTERM.
static bool is_describing() {
  sigset_t blocked;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  return ::sigismember(&blocked, SIGTERM) == 1;
}

void* operator new(std::size_t size) {
  if (out_of_memory && is_describing()) throw std::bad_alloc();
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

// UndefinedBehaviorSanitizer would end the process before that.
__attribute__((noinline, no_sanitize("undefined"))) void write_to_null() {
  *nowhere = 1;
  sink = sink + 1;
}

__attribute__((noinline, no_sanitize("undefined"))) void call_null() {
  no_function();
  sink = sink + 1;
}

__attribute__((noinline)) void give_up() {
  std::abort();
}

__attribute__((noinline)) void throw_something() {
  throw std::runtime_error("no\nway");
}

__attribute__((noinline)) void throw_where_nobody_may() noexcept {
  throw_something();
}

__attribute__((noinline)) int recurse(int depth) {
  volatile char room[512];
  room[0] = static_cast<char>(depth);
  const int deeper = depth < 0 ? 0 : recurse(depth + 1);
  return deeper + room[0];
}

__attribute__((noinline)) void signal_oneself() {
  ::kill(::getpid(), SIGBUS);
  while (true) ::pause();
}

void crash(std::string_view how) {
  if (how == "null") write_to_null();
  if (how == "call-null") call_null();
  if (how == "abort") give_up();
  if (how == "throw") throw_where_nobody_may();
  if (how == "overflow") sink = recurse(0);
  if (how == "kill") signal_oneself();
  if (how == "blocking") viaduct::blocking([] { write_to_null(); });
  if (how == "blocking-overflow") viaduct::blocking([] { sink = recurse(0); });
  if (how == "thread") std::thread(&write_to_null).join();
  if (how == "no-words") {
    out_of_memory = true;
    write_to_null();
  }
  if (how == "child") {
    const pid_t child = ::fork();
    if (child == 0) write_to_null();
    ::waitpid(child, nullptr, 0);
  }
}

void crash_handler(viaduct::Request& req, viaduct::Response& res) {
  const auto how = req.arg<std::string>("how");
  crash(how);
  res.send("alive\n");
}

int main(int argc, char** argv) {
  viaduct::App app;
  if (std::getenv("OWN_HANDLER") != nullptr) ::signal(SIGSEGV, [](int) { ::_exit(42); });
  if (std::getenv("SILENT") != nullptr) app.crash_reports(false);
  app.get("/{how}", &crash_handler);
  return viaduct::run(argc, argv, app);
}
