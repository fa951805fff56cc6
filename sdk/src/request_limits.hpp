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

/// The status that answers a request refused for that reason.
inline int refusal_status(protocol::Errc error) {
  using protocol::Errc;
  switch (error) {
    case Errc::params_too_large:
    case Errc::param_name_too_long:
    case Errc::param_value_too_long:
    case Errc::too_many_params:
      return 431;
    case Errc::too_many_requests:
      return 503;
    case Errc::unknown_expectation:
      return 417;
    case Errc::unknown_coding:
      return 501;
    case Errc::unknown_version:
      return 505;
    default:
      return 400;
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
