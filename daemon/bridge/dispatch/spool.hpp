#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <system_error>

namespace viaduct::daemon::bridge {

/// Where the temporary files of a bridge are made, and how much they may hold together
/// (limits.spool). All threads share it. The files are unlinked: their space is free as soon as
/// they are closed, however the bridge ends.
class Spool {
 public:
  /// `directory`: "" means $TMPDIR, else /tmp. `limit`: bytes; 0: none.
  Spool(std::string directory, std::uint64_t limit);

  [[nodiscard]] const std::string& directory() const { return directory_; }
  /// A new file, open for reading and writing; -1 and `error`.
  int open(std::error_code& error) const;
  /// Whether so many more bytes may be written; they are counted then.
  bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const std::string directory_;
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> used_ = 0;
};

}  // namespace viaduct::daemon::bridge
