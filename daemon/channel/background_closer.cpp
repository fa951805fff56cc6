#include "daemon/channel/background_closer.hpp"

#include <signal.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace viaduct::daemon::channel {

struct BackgroundCloser::Queue {
  std::mutex mutex;
  std::condition_variable filled;
  std::deque<UniqueFd> descriptors;
  bool has_thread = false;

  [[noreturn]] void run() {
    while (true) {
      UniqueFd next;
      std::unique_lock lock(mutex);
      filled.wait(lock, [this] { return !descriptors.empty(); });
      next = std::move(descriptors.front());
      descriptors.pop_front();
      lock.unlock();
      next.reset();
    }
  }
};

void BackgroundCloser::close(UniqueFd descriptor) {
  if (!descriptor) return;
  if (!queue_) queue_ = std::make_shared<Queue>();
  {
    const std::lock_guard lock(queue_->mutex);
    queue_->descriptors.push_back(std::move(descriptor));
  }
  queue_->filled.notify_one();
  if (queue_->has_thread) return;
  // Signals are for the event loop.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([queue = queue_] { queue->run(); }).detach();
    queue_->has_thread = true;
  } catch (const std::system_error&) {
    // The next descriptor tries again.
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

std::size_t BackgroundCloser::waiting() const {
  if (!queue_) return 0;
  const std::lock_guard lock(queue_->mutex);
  return queue_->descriptors.size();
}

}  // namespace viaduct::daemon::channel
