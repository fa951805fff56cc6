#include "daemon/channel/message_check.hpp"

#include <algorithm>

namespace viaduct::daemon::channel {

namespace {

struct Shape {
  bool from_bridge = false;
  bool names_app = false;
  bool is_answer = false;  // and may have a size
};

Shape shape_of(Type type) {
  switch (type) {
    case Type::started:
    case Type::ready:
    case Type::unhealthy:
    case Type::kill:
    case Type::worker_idle:
    case Type::requests:
    case Type::drained:
    case Type::left:
      return {.from_bridge = true};
    case Type::server:
    case Type::server_gone:
    case Type::demand:
      return {.from_bridge = true, .names_app = true};
    case Type::listing:
      return {.from_bridge = true, .names_app = true, .is_answer = true};
    case Type::requests_lost:
      return {.from_bridge = true, .is_answer = true};
    case Type::worker_added:
    case Type::worker_draining:
    case Type::worker_dead:
    case Type::app_state:
    case Type::log_target:
    case Type::accept:
    case Type::drain:
    case Type::adopt:
    case Type::listener:
    case Type::list_requests:
      break;
  }
  return {};
}

template <std::size_t Size>
bool ends(const std::array<char, Size>& text) {
  return std::find(text.begin(), text.end(), '\0') != text.end();
}

}  // namespace

std::string_view violation_of(const Message& message, std::size_t apps) {
  const Shape shape = shape_of(message.type);
  if (!shape.from_bridge) return "a type that no bridge sends";
  if (shape.names_app && message.app >= apps) return "an app that does not exist";
  if (message.size != 0 && !shape.is_answer) return "a long answer to nothing";
  if (!ends(message.path) || !ends(message.reason)) return "text without an end";
  if (message.state > AppState::idle) return "a state that does not exist";
  if (message.type == Type::ready && (message.count == 0 || message.count > kMaxCapacity)) {
    return "a capacity that no worker has";
  }
  return "";
}

}  // namespace viaduct::daemon::channel
