#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "protocol/memory.hpp"

namespace viaduct::daemon::bridge {

/// Cuts what an application wrote to its error stream into lines of at most kMaxLine bytes, which
/// is where a longer one is broken. Empty lines are dropped.
class StderrLines {
 public:
  static constexpr std::size_t kMaxLine = 8 * 1024;
  using Sink = std::function<void(std::string_view line)>;

  void feed(std::string_view text, const Sink& sink);
  /// The rest, which no line end followed.
  void finish(const Sink& sink);
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const { return protocol::memory_of(partial_); }
  /// Gives it back, and forgets what no line end followed.
  void release() { protocol::give_back(partial_); }

 private:
  std::string partial_;
};

}  // namespace viaduct::daemon::bridge
