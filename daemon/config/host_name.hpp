#pragma once

#include "daemon/config/address.hpp"

namespace viaduct::daemon::config {

// Whether the host of a TCP address is a name that can be looked up (RFC 1123 section 2.1, and
// `_`): labels of letters, digits, - and _ of 1 to 63 bytes, the last not of digits only, so that a
// mistyped IP address is none. May end with a dot. False for other kinds.
bool is_host_name(const Address& address);

}  // namespace viaduct::daemon::config
