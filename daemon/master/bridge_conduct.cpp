#include "daemon/master/bridge_conduct.hpp"

#include <utility>

namespace viaduct::daemon::master {

using channel::Type;

void BridgeConduct::told(const channel::Message& message) {
  drains_ = drains_ || message.type == Type::drain;
}

std::string_view BridgeConduct::violation_of(const channel::Message& message) {
  if (message.type == Type::started) {
    return std::exchange(started_, true) ? "it starts twice" : "";
  }
  if (!started_) return "a message before it has started";
  if (message.type != Type::left && message.type != Type::drained) return "";
  if (!drains_) return "it leaves unasked";
  return std::exchange(message.type == Type::left ? left_ : drained_, true) ? "it leaves twice"
                                                                            : "";
}

double BridgeConduct::cost_of(const channel::Message& message) {
  return message.type == Type::demand ? 4 : 1;
}

}  // namespace viaduct::daemon::master
