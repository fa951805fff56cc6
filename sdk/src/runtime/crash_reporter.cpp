#include "sdk/src/runtime/crash_reporter.hpp"

#include <cxxabi.h>
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include <boost/core/demangle.hpp>

#include "sdk/src/request_state.hpp"
#include "sdk/src/runtime/context.hpp"
#include "sdk/src/runtime/crash_line.hpp"
#include "sdk/src/runtime/machine_state.hpp"
#include "sdk/src/runtime/signal_stack.hpp"
#include "sdk/src/runtime/stack_frames.hpp"
#include "sdk/src/runtime/symbols.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::array kSignals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};
// The signal handler and where it returns to.
constexpr std::size_t kOwnFrames = 2;
constexpr std::chrono::seconds kPatience{5};
// Bytes of a request's target, and of its id.
constexpr std::size_t kTarget = 256;
constexpr std::size_t kId = 64;

enum class Words : unsigned { pending, written, failed };

// What signal handlers have to go by.
pid_t process = 0;
std::atomic<pid_t> crashing{0};  // the thread that reports
StackFrames frames;              // of that thread
sem_t noted;
std::atomic<Words> words{Words::pending};
std::atomic<bool> has_exception{false};
CrashLine uncaught;
std::terminate_handler former_terminate = nullptr;
static_assert(std::atomic<pid_t>::is_always_lock_free && std::atomic<Words>::is_always_lock_free);

// An access to memory of which the kernel says where.
bool is_fault(const siginfo_t& info) {
  const bool by_address = info.si_signo == SIGSEGV || info.si_signo == SIGBUS;
  return by_address && info.si_code > 0 && info.si_code != SI_KERNEL;
}

void write_signal(const siginfo_t& info, const MachineState& state) {
  CrashLine line;
  const char* const name = ::sigabbrev_np(info.si_signo);
  line.text("SIG").text(name != nullptr ? name : "?");
  const auto address = reinterpret_cast<std::uintptr_t>(info.si_addr);
  if (is_fault(info)) {
    line.text(" at address ").address(address);
    if (state.is_beyond_stack(address)) line.text(", the stack is full");
  } else if (info.si_code <= 0 && info.si_pid != process) {
    line.text(" sent by process ").number(static_cast<std::uintptr_t>(info.si_pid));
  }
  std::array<char, 17> thread{};
  ::prctl(PR_GET_NAME, thread.data());
  line.text(", thread ").number(static_cast<std::uintptr_t>(crashing.load()));
  line.text(" (").text(thread.data()).text(")");
  line.write(STDERR_FILENO);
}

void write_request() {
  const Context* const context = Context::running();
  if (context == nullptr || context->request == nullptr) return;
  const protocol::Pairs& params = context->request->head().params;
  CrashLine line;
  line.text("in ").text(context->kind()).text(": ");
  line.text(params.get("REQUEST_METHOD").value_or("?")).text(" ");
  line.text(params.get("REQUEST_URI")
                .value_or(params.get("SCRIPT_NAME").value_or("?"))
                .substr(0, kTarget));
  const std::string_view id = context->request->known_id();
  if (!id.empty()) line.text(" id=").text(id.substr(0, kId));
  line.write(STDERR_FILENO);
}

// What addr2line(1) takes.
void write_address(std::uintptr_t frame) {
  CrashLine line;
  dl_find_object module{};
  if (::_dl_find_object(reinterpret_cast<void*>(frame), &module) == 0) {
    const std::string_view path = module.dlfo_link_map->l_name;
    line.text(path.empty() ? program_invocation_short_name : path.substr(path.rfind('/') + 1));
    frame -= module.dlfo_link_map->l_addr;
  }
  line.text("+").address(frame).write(STDERR_FILENO);
}

void write_addresses() {
  for (const std::uintptr_t frame : frames.inner()) write_address(frame);
  if (frames.omitted() > 0)
    CrashLine().number(frames.omitted()).text(" frames").write(STDERR_FILENO);
  for (const std::uintptr_t frame : frames.outer()) write_address(frame);
}

bool await_words() {
  const timespec pause{0, 1'000'000};
  for (auto left = kPatience / std::chrono::milliseconds(1); left > 0; --left) {
    if (words != Words::pending) break;
    ::nanosleep(&pause, nullptr);
  }
  return words == Words::written;
}

// A recursion is one line.
void write_frames(const std::vector<std::string>& frames_in_words) {
  for (auto frame = frames_in_words.begin(); frame != frames_in_words.end();) {
    const auto next = std::find_if(frame, frames_in_words.end(),
                                   [&](const std::string& other) { return other != *frame; });
    CrashLine line;
    line.text(*frame);
    if (next - frame > 1)
      line.text(", ").number(static_cast<std::uintptr_t>(next - frame)).text(" times");
    line.write(STDERR_FILENO);
    frame = next;
  }
}

// The thread that has time.
void describe_crash() {
  while (::sem_wait(&noted) != 0) continue;
  try {
    write_frames(describe_stack(frames));
    words = Words::written;
  } catch (...) {
    words = Words::failed;
  }
}

// With the default action, and with all that the kernel said of it: delivered when the handler has
// returned, to where it happened.
void send_again(int number, siginfo_t* info) {
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  ::sigaction(number, &usual, nullptr);
  const pid_t thread = ::gettid();
  if (::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), thread, number, info) != 0) {
    ::syscall(SYS_tgkill, ::getpid(), thread, number);
  }
}

// Async-signal-safe throughout. What faults in here ends the process at once, since all signals
// are blocked; so what is certain is written first.
void on_crash(int number, siginfo_t* info, void* context) {
  // A child of the process that executes nothing else is not what viaductd watches.
  if (::getpid() != process) return send_again(number, info);
  pid_t nobody = 0;
  if (!crashing.compare_exchange_strong(nobody, ::gettid())) {
    while (true) ::pause();
  }
  MachineState state(*static_cast<ucontext_t*>(context));
  write_signal(*info, state);
  write_request();
  if (has_exception) uncaught.write(STDERR_FILENO);
  const bool jumped =
      is_fault(*info) && state.jumped_to(reinterpret_cast<std::uintptr_t>(info->si_addr));
  if (jumped) state.step_out();
  frames.capture(kOwnFrames);
  if (jumped) state.restore();
  ::sem_post(&noted);
  if (!await_words()) write_addresses();
  send_again(number, info);
}

void note_exception() noexcept {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr || has_exception) return;
  try {
    uncaught.text("uncaught ").text(boost::core::demangle(type->name()));
    try {
      throw;
    } catch (const std::exception& error) {
      uncaught.text(": ").text(error.what());
    } catch (...) {
    }
    has_exception = true;
  } catch (...) {
  }
}

[[noreturn]] void on_terminate() {
  note_exception();
  if (former_terminate != nullptr) former_terminate();
  std::abort();
}

// Everybody else's signals are delivered to threads that serve.
void start_describing() {
  sigset_t others;
  sigset_t before;
  ::sigfillset(&others);
  for (const int number : kSignals) ::sigdelset(&others, number);
  ::pthread_sigmask(SIG_SETMASK, &others, &before);
  try {
    std::thread(describe_crash).detach();
  } catch (const std::exception&) {
    words = Words::failed;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void handle(int number) {
  struct sigaction present {};
  if (::sigaction(number, nullptr, &present) != 0) return;
  if ((present.sa_flags & SA_SIGINFO) != 0 || present.sa_handler != SIG_DFL) return;
  struct sigaction action {};
  action.sa_sigaction = &on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigfillset(&action.sa_mask);
  ::sigaction(number, &action, nullptr);
}

}  // namespace

void report_crashes() {
  if (process != 0) return;
  process = ::getpid();
  static const SignalStack main_thread;
  ::sem_init(&noted, 0, 0);
  start_describing();
  former_terminate = std::set_terminate(&on_terminate);
  for (const int number : kSignals) handle(number);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
