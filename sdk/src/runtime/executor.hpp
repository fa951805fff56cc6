#pragma once

#include <mutex>

#include "sdk/src/runtime/stack_frames.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

class Exchange;

/// A concurrency model: runs handlers and performs the engine's input and output in between.
/// Members but run() are called with the engine's mutex held.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Serves until the engine has finished. Throws what on_thread_start does, with nothing served.
  virtual void run() = 0;
  /// Called by the handler of `exchange`: waits until wake(exchange), or less.
  virtual void wait(std::unique_lock<std::mutex>& lock, Exchange& exchange) = 0;
  /// Something that the handler of `exchange` may wait for has happened. Callable from any thread.
  virtual void wake(Exchange& exchange) = 0;
  /// What the handler of `exchange`, which has not returned, is doing. From any thread.
  virtual StackFrames trace(Exchange& exchange) = 0;
  /// The engine has finished: run() is to return.
  virtual void stop() = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
