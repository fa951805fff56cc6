#pragma once

#include "protocol/errc.hpp"

namespace viaduct::protocol {

/// The HTTP status that tells a client why its request was refused: 431 for variables beyond a
/// limit (RFC 6585 section 5), 503 beyond Limits::requests, 417, 501 or 505 for what HTTP has a
/// word for (RFC 9110 section 15), otherwise 400.
[[nodiscard]] int refusal_status(Errc error);

}  // namespace viaduct::protocol
