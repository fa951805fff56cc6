#pragma once

#include <fcntl.h>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::bridge {

/// A descriptor that is kept for the time when there are no others: given up, it lets one
/// connection be accepted. Shared by the listeners of a thread.
class Reserve {
 public:
  Reserve() { fill(); }
  /// Takes a descriptor if it has none, before others can.
  void fill() {
    if (!descriptor_) descriptor_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  /// Whether there was one to give up.
  bool give_up() {
    const bool had = static_cast<bool>(descriptor_);
    descriptor_.reset();
    return had;
  }

 private:
  UniqueFd descriptor_;
};

}  // namespace viaduct::daemon::bridge
