#include "daemon/log/rate_limit.hpp"

#include <utility>

namespace viaduct::daemon::log {

RateLimit::RateLimit(std::uint32_t lines, Clock::duration interval, std::size_t keys)
    : lines_(lines), interval_(interval), keys_(keys) {}

RateLimit::Decision RateLimit::admit(std::string_view key, Clock::time_point now) {
  Window& window = find(key, now);
  if (now - window.begin >= interval_) {
    window.begin = now;
    window.written = 0;
  }
  if (window.written == lines_) {
    ++window.suppressed;
    return {};
  }
  ++window.written;
  return {true, std::exchange(window.suppressed, 0)};
}

RateLimit::Window& RateLimit::find(std::string_view key, Clock::time_point now) {
  if (auto found = windows_.find(key); found != windows_.end()) return found->second;
  if (windows_.size() >= keys_) forget_finished(now);
  if (windows_.size() >= keys_) return overflow_;
  return windows_.emplace(key, Window{now, 0, 0}).first->second;
}

void RateLimit::forget_finished(Clock::time_point now) {
  std::erase_if(windows_, [&](const auto& entry) { return now - entry.second.begin >= interval_; });
}

}  // namespace viaduct::daemon::log
