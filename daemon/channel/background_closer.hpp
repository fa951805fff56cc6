#pragma once

#include <cstddef>
#include <memory>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::channel {

/// Closes descriptors on a thread of its own. close() of the last descriptor of a socket may wait:
/// a peer that gave it away can have set SO_LINGER and left data unsent, in the socket itself or in
/// one that is queued inside it.
///
/// The thread starts with the first descriptor and lives as long as the process; at the end of the
/// process nothing waits for it. Functions may be called from one thread.
class BackgroundCloser {
 public:
  /// Returns at once. Without a thread, which the system may refuse, the descriptor stays open.
  void close(UniqueFd descriptor);
  /// Descriptors that it has not begun to close.
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Queue;
  std::shared_ptr<Queue> queue_;  // shared with the thread
};

}  // namespace viaduct::daemon::channel
