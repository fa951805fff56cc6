#pragma once

#include <string>

#include "protocol/message.hpp"

namespace viaduct::daemon::bridge {

/// A complete short response that the bridge gives itself: the status, as text.
struct OwnResponse {
  protocol::ResponseHead head;
  std::string body;
};

[[nodiscard]] OwnResponse own_response(int status);

}  // namespace viaduct::daemon::bridge
