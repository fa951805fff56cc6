#pragma once

#include <pthread.h>
#include <semaphore.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Takes stack traces of the thread that made it, whatever it is doing: a signal (SIGURG, which is
/// ignored by default) interrupts it, and the handler notes the frames on a signal stack of its
/// own. The signal may end a system call of that thread with EINTR. Where the application or a
/// sanitizer has uses of its own for the signal, there are no traces.
///
/// Made and destroyed by the thread to be traced, one at a time in a process.
class StackProbe {
 public:
  using Frames = std::vector<const void*>;

  StackProbe();
  StackProbe(const StackProbe&) = delete;
  StackProbe& operator=(const StackProbe&) = delete;
  ~StackProbe();

  /// Called by another thread, one at a time. The innermost frame first; empty when the thread does
  /// not answer within `patience`.
  [[nodiscard]] Frames take(std::chrono::milliseconds patience);

 private:
  static constexpr std::size_t kFrames = 64;

  static void on_signal(int number, siginfo_t* info, void* context);

  const pthread_t thread_;
  bool installed_ = false;
  struct sigaction former_ {};
  std::unique_ptr<std::byte[]> signal_stack_;
  sem_t noted_{};
  std::array<const void*, kFrames> frames_{};
  std::size_t count_ = 0;
};

/// A frame as `function (module+0xOFFSET)`, the offset being what addr2line(1) takes. Functions are
/// known where the dynamic linker knows them: in libraries, and in programs linked with -rdynamic.
[[nodiscard]] std::string describe_frame(const void* frame);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
