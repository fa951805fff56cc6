#include "sdk/src/runtime/stack_probe.hpp"

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <mutex>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr int kSignal = SIGURG;
// The signal handler and where it returns to.
constexpr std::size_t kOwnFrames = 2;

using Handler = void (*)(int, siginfo_t*, void*);

// The process has one handler for the signal, however many probes there are.
class Installation {
 public:
  bool add(Handler handler) {
    const std::lock_guard lock(mutex_);
    if (users_ == 0 && !install(handler)) return false;
    ++users_;
    return true;
  }
  void remove() {
    const std::lock_guard lock(mutex_);
    if (--users_ == 0) ::sigaction(kSignal, &former_, nullptr);
  }

 private:
  bool install(Handler handler) {
    if (::sigaction(kSignal, nullptr, &former_) != 0) return false;
    const bool free = (former_.sa_flags & SA_SIGINFO) == 0 &&
                      (former_.sa_handler == SIG_DFL || former_.sa_handler == SIG_IGN);
    struct sigaction action {};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    ::sigfillset(&action.sa_mask);
    return free && ::sigaction(kSignal, &action, nullptr) == 0;
  }

  std::mutex mutex_;
  unsigned users_ = 0;
  struct sigaction former_ {};
};

Installation& installation() {
  static Installation shared;
  return shared;
}

}  // namespace

StackProbe::StackProbe() {
  ::sem_init(&noted_, 0, 0);
  installed_ = installation().add(&on_signal);
}

StackProbe::~StackProbe() {
  if (installed_) installation().remove();
  ::sem_destroy(&noted_);
}

// Async-signal-safe throughout: it may have interrupted malloc().
void StackProbe::on_signal(int, siginfo_t* info, void*) {
  if (info->si_code != SI_QUEUE || info->si_pid != ::getpid()) return;
  const int error = errno;
  auto& probe = *static_cast<StackProbe*>(info->si_value.sival_ptr);
  auto expected = State::asked;
  // A signal may come too late for the one who asked.
  if (!probe.state_.compare_exchange_strong(expected, State::noting)) return;
  if (::pthread_equal(probe.asked_, ::pthread_self()) == 0) {
    probe.state_ = State::asked;
  } else {
    probe.frames_.capture(kOwnFrames);
    probe.state_ = State::noted;
    ::sem_post(&probe.noted_);
  }
  errno = error;
}

StackFrames StackProbe::take(pthread_t thread, std::chrono::milliseconds patience) {
  if (!installed_) return {};
  while (::sem_trywait(&noted_) == 0) continue;
  asked_ = thread;
  state_ = State::asked;
  sigval self{};
  self.sival_ptr = this;
  const bool sent = ::pthread_sigqueue(thread, kSignal, self) == 0;
  if (!sent || !await_note(patience)) {
    auto state = State::asked;
    while (state != State::noted && !state_.compare_exchange_weak(state, State::idle)) {
      if (state == State::noting) state = State::asked;
    }
    if (state != State::noted) return {};
  }
  state_ = State::idle;
  return frames_;
}

bool StackProbe::await_note(std::chrono::milliseconds patience) {
  timespec until{};
  ::clock_gettime(CLOCK_REALTIME, &until);
  const auto nanoseconds = until.tv_nsec + std::chrono::nanoseconds(patience).count();
  until.tv_sec += nanoseconds / 1'000'000'000;
  until.tv_nsec = nanoseconds % 1'000'000'000;
  while (::sem_timedwait(&noted_, &until) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
