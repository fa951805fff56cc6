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
  enum class Use : std::uint8_t { body, response };
  /// Whether so many more bytes may be written; they are counted then. For a response only half of
  /// the limit is there: its worker can wait, while a body without room ends its request.
  bool take(std::uint64_t bytes, Use use);
  void give_back(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const std::string directory_;
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> used_ = 0;
};

}  // namespace viaduct::daemon::bridge
