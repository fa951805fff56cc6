#pragma once

#include <cstdint>

#include "protocol/codec.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// What of a request's variables is taken. The front server or the bridge has limited them already,
/// and may have been told to allow more than its default.
inline protocol::Limits request_limits() {
  constexpr std::uint32_t kMaxParams = 1024 * 1024;
  protocol::Limits limits;
  limits.params = kMaxParams;
  limits.value = kMaxParams;
  limits.count = 4096;
  return limits;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
