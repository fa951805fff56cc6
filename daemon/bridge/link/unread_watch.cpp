#include "daemon/bridge/link/unread_watch.hpp"

namespace viaduct::daemon::bridge {

void UnreadWatch::note(const Transfer& sent) {
  if (first_ == 0 || (sent.bytes == 0 && !sent.blocked)) return;
  if (complete() || sent.blocked) return restart();
  rest_ = sent.bytes;
}

bool UnreadWatch::unread(std::uint64_t unacknowledged) {
  if (!complete() || unacknowledged == 0) return false;
  if (!memory_) memory_ = memory_of_writes(first_, rest_);
  return memory_ && unacknowledged >= *memory_;
}

}  // namespace viaduct::daemon::bridge
