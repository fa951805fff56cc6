#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "protocol/message.hpp"
#include "sdk/src/runtime/link.hpp"
#include "sdk/src/runtime/stack_frames.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Puts noted stacks into words, on a thread of its own: reading a program's symbols takes longer
/// than input and output may wait. The thread exists from the first stack on.
class Tracer {
 public:
  struct Job {
    std::shared_ptr<Link> link;  ///< who asked
    protocol::RequestId id;
    std::uint64_t serial;  ///< of the request
    StackFrames frames;
  };
  /// Called by the tracer's thread.
  using Done = std::function<void(Job job, const std::string& text)>;

  /// Stacks that may wait.
  static constexpr std::size_t kMaxWaiting = 64;

  explicit Tracer(Done done) : done_(std::move(done)) {}
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  ~Tracer();

  /// False when too many are waiting.
  [[nodiscard]] bool add(Job job);

 private:
  void run();

  const Done done_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
