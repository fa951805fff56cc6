#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace viaduct::daemon::log {

/// Writes whole lines to a descriptor that may not take them all at once, such as a non-blocking
/// pipe. What it does not take waits, up to a limit; beyond that, lines are lost as a whole. Not
/// thread-safe.
class LineOutput {
 public:
  /// `most`: bytes that may wait. The rest of a line that was taken in part waits in any case.
  /// `descriptor` is owned, except up to 2 (standard error).
  LineOutput(int descriptor, std::size_t most);
  ~LineOutput();
  LineOutput(const LineOutput&) = delete;
  LineOutput& operator=(const LineOutput&) = delete;

  /// One or more lines, each with its '\n'. Returns how many of them are lost: they found no room,
  /// or the descriptor cannot be written to at all (a full disk, a pipe that nobody reads).
  std::uint64_t write(std::string_view lines);

  /// Tries again to write what waits.
  void flush() { (void)write({}); }
  /// Tries for up to `milliseconds`.
  void flush_for(int milliseconds);

  [[nodiscard]] bool waiting() const { return !waiting_.empty(); }

 private:
  std::uint64_t keep(std::string_view lines, bool cut);

  int descriptor_;
  std::size_t most_;
  std::string waiting_;
};

}  // namespace viaduct::daemon::log
