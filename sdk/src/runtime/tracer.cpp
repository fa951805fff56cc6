#include "sdk/src/runtime/tracer.hpp"

#include <utility>

#include "protocol/fastcgi/wire.hpp"
#include "sdk/src/runtime/symbols.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

Tracer::~Tracer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool Tracer::add(Job job) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kMaxWaiting) return false;
  waiting_.push_back(std::move(job));
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_one();
  return true;
}

void Tracer::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    const std::string text = stack_text(job.frames, protocol::fastcgi::kMaxTrace);
    done_(std::move(job), text);
    lock.lock();
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
