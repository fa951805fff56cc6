#include "sdk/src/runtime/late_log.hpp"

#include <system_error>
#include <utility>

namespace viaduct {
inline namespace v1 {
namespace detail {

LateLog::~LateLog() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LateLog::add(Level level, std::string_view id, std::string text) {
  const std::lock_guard lock(mutex_);
  if (lines_.size() == kMost) {
    ++left_out_;
    return;
  }
  lines_.push_back({level, std::string(id), std::move(text)});
  changed_.notify_one();
  if (thread_.joinable()) return;
  try {
    thread_ = std::thread([this] { write(); });
  } catch (const std::system_error&) {
    // The next line tries again.
  }
}

void LateLog::write() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ended_ || !lines_.empty(); });
    if (lines_.empty()) return;
    const Line line = std::move(lines_.front());
    lines_.pop_front();
    const std::uint64_t left_out = lines_.empty() ? std::exchange(left_out_, 0) : 0;
    lock.unlock();
    write_log(line.level, line.id, line.text);
    if (left_out > 0) {
      write_log(Level::warn, {},
                std::to_string(left_out) + " lines were left out: the log is slow");
    }
    lock.lock();
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
