#pragma once

#include <cstddef>
#include <functional>

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// A stackful fiber that runs one task after the other on a stack of its own, with a guard page
/// below it. Every switch passes through resume() and suspend(), which also carry what the language
/// runtime and the sanitizers keep per stack: the exceptions being handled
/// (__cxa_get_globals; Boost.Context leaves them alone before 1.88) and the fiber hooks of
/// AddressSanitizer and ThreadSanitizer. Stays on the thread that created it.
class Fiber {
 public:
  /// `stack_size` in bytes, rounded up to pages. Throws std::bad_alloc.
  explicit Fiber(std::size_t stack_size);
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  /// The task must have ended.
  ~Fiber();

  /// Runs `task` until it ends or suspends. It must not throw. Only while idle().
  void start(std::function<void()> task);
  /// Goes on behind suspend(). Called from outside.
  void resume();
  /// Returns to who called start() or resume(). Called from inside.
  void suspend();
  /// Calls `visitor` on the stack of the task, which has suspended and goes on waiting. The visitor
  /// must neither throw nor suspend, and needs little of the stack. Called from outside.
  void visit(const std::function<void()>& visitor);
  /// No task is under way.
  [[nodiscard]] bool idle() const { return !task_; }

 private:
  /// What __cxa_get_globals() points to (Itanium C++ ABI, exception handling, section 2.2.2).
  struct ExceptionState {
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };

  void main();
  void switch_in();
  void switch_out();
  static void swap_exceptions(ExceptionState& other);

  boost::context::protected_fixedsize_stack allocator_;
  boost::context::stack_context stack_;
  boost::context::fiber inside_;
  boost::context::fiber outside_;
  std::function<void()> task_;
  const std::function<void()>* visitor_ = nullptr;
  bool quit_ = false;
  ExceptionState exceptions_;  // of the side that does not run

  // For the sanitizers; unused without them.
  void* inside_fake_stack_ = nullptr;
  void* outside_fake_stack_ = nullptr;
  const void* outside_bottom_ = nullptr;
  std::size_t outside_size_ = 0;
  void* inside_thread_ = nullptr;
  void* outside_thread_ = nullptr;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
