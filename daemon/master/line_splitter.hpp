#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace viaduct::daemon::master {

/// Cuts a byte stream into lines. '\n' ends a line, a '\r' before it is dropped; a line longer than
/// `limit` bytes is given out in pieces of that size. Holds at most `limit` bytes.
class LineSplitter {
 public:
  static constexpr std::size_t kDefaultLimit = 8 * 1024;
  using Sink = std::function<void(std::string_view line)>;

  explicit LineSplitter(std::size_t limit = kDefaultLimit) : limit_(limit) {}

  /// Calls `sink` for every line that `bytes` completes.
  void feed(std::string_view bytes, const Sink& sink);

  /// Gives out what has no line end yet: the stream is over.
  void finish(const Sink& sink);

 private:
  void emit(const Sink& sink);

  std::size_t limit_;
  std::string pending_;
  bool continued_ = false;  // pending_ follows a piece that was cut: an empty rest is no line
};

}  // namespace viaduct::daemon::master
