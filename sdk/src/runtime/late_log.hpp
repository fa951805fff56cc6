#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include <viaduct/log.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Log lines of whoever holds a mutex that handlers need: a thread of their own writes them, since
/// the application's sink may take mutexes, wait, or be slow. Any thread may add lines.
class LateLog {
 public:
  /// Lines that wait to be written. Of those beyond only the number is logged.
  static constexpr std::size_t kMost = 256;

  LateLog() = default;
  LateLog(const LateLog&) = delete;
  LateLog& operator=(const LateLog&) = delete;
  /// Returns when all lines are written.
  ~LateLog();

  /// `id` of the request that the line is about, or empty. The first line starts the thread.
  void add(Level level, std::string_view id, std::string text);

 private:
  struct Line {
    Level level;
    std::string id;
    std::string text;
  };

  void write();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Line> lines_;
  std::uint64_t left_out_ = 0;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
