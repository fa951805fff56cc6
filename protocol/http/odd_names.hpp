#pragma once

#include <cstdint>

namespace viaduct::protocol::http {

/// What becomes of fields whose names have other characters than letters, digits and hyphens: such
/// a name may stand for another field, since `X_Real_IP` and `X-Real-IP` are one variable.
enum class OddNames : std::uint8_t {
  drop,
  keep,  ///< unless its variable is one that a field with hyphens of the same request has, or one
         ///< of HTTP_CONTENT_*, HTTP_PROXY*, or of the fields of is_forwarded()
};

}  // namespace viaduct::protocol::http
