#pragma once

#include <string_view>

#include "daemon/channel/message.hpp"

namespace viaduct::daemon::master {

/// The order in which a bridge speaks: `started` first and once; `left` and `drained` once each,
/// and only when it was told to drain. Pure.
class BridgeConduct {
 public:
  /// The bridge is sent this message.
  void told(const channel::Message& message);
  /// Notes a message that has passed message_check.hpp. Returns why no bridge sends it now, or "".
  std::string_view violation_of(const channel::Message& message);

  /// Tokens that the master spends on a message: some cause more work than others.
  static double cost_of(const channel::Message& message);

 private:
  bool started_ = false;
  bool drains_ = false;
  bool left_ = false;
  bool drained_ = false;
};

}  // namespace viaduct::daemon::master
