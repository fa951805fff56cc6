#include "sdk/src/runtime/stack_probe.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <ctime>

#include <boost/stacktrace/frame.hpp>
#include <boost/stacktrace/safe_dump_to.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr int kSignal = SIGURG;
// What the kernel saves of the processor, and the unwinder.
constexpr std::size_t kSignalStack = 64 * 1024;
// The signal handler and where it returns to.
constexpr std::size_t kOwnFrames = 2;

}  // namespace

StackProbe::StackProbe() : thread_(::pthread_self()) {
  ::sem_init(&noted_, 0, 0);
  struct sigaction action {};
  ::sigaction(kSignal, nullptr, &former_);
  const bool free = (former_.sa_flags & SA_SIGINFO) == 0 &&
                    (former_.sa_handler == SIG_DFL || former_.sa_handler == SIG_IGN);
  if (!free) return;
  action.sa_sigaction = &on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  ::sigfillset(&action.sa_mask);
  installed_ = ::sigaction(kSignal, &action, nullptr) == 0;
  stack_t present{};
  if (::sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0) return;
  signal_stack_ = std::make_unique<std::byte[]>(kSignalStack);
  stack_t own{};
  own.ss_sp = signal_stack_.get();
  own.ss_size = kSignalStack;
  if (::sigaltstack(&own, nullptr) != 0) signal_stack_.reset();
}

StackProbe::~StackProbe() {
  if (installed_) ::sigaction(kSignal, &former_, nullptr);
  if (signal_stack_) {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
  }
  ::sem_destroy(&noted_);
}

// Async-signal-safe throughout: it may have interrupted malloc().
void StackProbe::on_signal(int, siginfo_t* info, void*) {
  if (info->si_code != SI_QUEUE || info->si_pid != ::getpid()) return;
  const int error = errno;
  auto* const probe = static_cast<StackProbe*>(info->si_value.sival_ptr);
  probe->count_ = boost::stacktrace::safe_dump_to(probe->frames_.data(), sizeof probe->frames_);
  ::sem_post(&probe->noted_);
  errno = error;
}

StackProbe::Frames StackProbe::take(std::chrono::milliseconds patience) {
  if (!installed_) return {};
  // Of a signal that came too late for the one who asked.
  while (::sem_trywait(&noted_) == 0) continue;
  sigval self{};
  self.sival_ptr = this;
  if (::pthread_sigqueue(thread_, kSignal, self) != 0) return {};
  timespec until{};
  ::clock_gettime(CLOCK_REALTIME, &until);
  const auto nanoseconds = until.tv_nsec + std::chrono::nanoseconds(patience).count();
  until.tv_sec += nanoseconds / 1'000'000'000;
  until.tv_nsec = nanoseconds % 1'000'000'000;
  while (::sem_timedwait(&noted_, &until) != 0) {
    if (errno != EINTR) return {};
  }
  Frames frames;
  for (std::size_t i = kOwnFrames; i < count_ && i < kFrames && frames_[i] != nullptr; ++i) {
    frames.push_back(frames_[i]);
  }
  return frames;
}

std::string describe_frame(const void* frame) {
  std::string text = boost::stacktrace::frame(frame).name();
  Dl_info module{};
  const bool known = ::dladdr(frame, &module) != 0 && module.dli_fname != nullptr;
  const auto base = known ? reinterpret_cast<std::uintptr_t>(module.dli_fbase) : 0;
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits,
                                 reinterpret_cast<std::uintptr_t>(frame) - base, 16);
  std::string place(known ? std::string_view(module.dli_fname) : std::string_view());
  place = place.substr(place.rfind('/') + 1);
  place += "+0x";
  place.append(digits, end.ptr);
  return text.empty() ? place : text + " (" + place + ')';
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
