#pragma once

#include <cstdint>
#include <optional>

#include "protocol/message.hpp"

namespace viaduct::protocol {

/// How many bytes a client waits for behind this head: its Content-Length, where the response has a
/// body. A client that has had fewer must not take the response for complete.
[[nodiscard]] inline std::optional<std::uint64_t> body_length(const ResponseHead& head,
                                                              bool head_request) {
  return head_request || contentless(head.status) ? std::nullopt : head.content_length;
}

}  // namespace viaduct::protocol
