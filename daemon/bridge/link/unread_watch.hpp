#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "daemon/bridge/socket.hpp"

namespace viaduct::daemon::bridge {

/// Tells whether the peer of a Unix socket has read nothing of a request that was written to it.
///
/// The kernel counts what was written in one piece until all of that is read, and a program may
/// leave the empty record that ends its input unread while it works. So the first record is written
/// by itself: as long as it counts, nothing has been read. The rest is written in one piece, since
/// libfcgi closes a connection on which the end of the input comes behind its answer.
///
///     blind --begin--> begun --note--> written --note, restart--> blind
class UnreadWatch {
 public:
  /// Nothing can be told from now on, until begin().
  void restart() { *this = {}; }
  /// The first record of a request was written by itself; `bytes`: all of them.
  void begin(std::size_t bytes) { first_ = bytes; }
  /// Something was written after begin(): only one piece may be.
  void note(const Transfer& sent);
  /// Whether nothing was read. `unacknowledged`: what the kernel counts, see unacknowledged().
  [[nodiscard]] bool unread(std::uint64_t unacknowledged);
  /// Whether unread() could say yes.
  [[nodiscard]] bool complete() const { return rest_ != 0; }

 private:
  std::size_t first_ = 0;                // bytes; 0: nothing can be told
  std::size_t rest_ = 0;                 // 0: not written yet
  std::optional<std::uint64_t> memory_;  // that the kernel counts for both
};

}  // namespace viaduct::daemon::bridge
