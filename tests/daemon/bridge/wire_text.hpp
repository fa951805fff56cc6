#pragma once

#include <array>
#include <string>

#include "protocol/output.hpp"

namespace viaduct::daemon::bridge::testing {

/// Empties `output` into a string.
inline std::string take_text(protocol::Output& output) {
  std::string text;
  std::array<protocol::Bytes, 16> pieces;
  while (!output.empty()) {
    const std::size_t count = output.gather(pieces);
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      text += protocol::as_text(pieces[i]);
      size += pieces[i].size();
    }
    output.consume(size);
  }
  return text;
}

}  // namespace viaduct::daemon::bridge::testing
