#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/peer_rule.hpp"
#include "protocol/pairs.hpp"

namespace viaduct::daemon::bridge {

/// What proxies in front of an HTTP listener said of the client. Empty: nothing.
struct ForwardedFor {
  std::string address;  ///< of the client, without brackets and port
  std::string scheme;   ///< "http" or "https"
  std::string host;     ///< what Host was at first
  std::string port;     ///< on which the client was served
};

/// Reads the fields of a request that came from a trusted peer: `Forwarded` (RFC 7239) where it is
/// there, else `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`.
///
/// Every proxy appends whom it was connected by, so the address is the last one that no rule of
/// `trusted` names, or the first one when all are trusted. What stands before one that is unknown,
/// obfuscated or malformed is not believed. The other values are the last ones: a client may have
/// sent earlier ones itself.
[[nodiscard]] ForwardedFor read_forwarded(const std::vector<config::PeerRule>& trusted,
                                          const protocol::Pairs& params);

/// Puts that into the variables: REMOTE_ADDR (REMOTE_PORT, which then is not known, is dropped),
/// REQUEST_SCHEME and HTTPS, HTTP_HOST and SERVER_NAME, SERVER_PORT.
void apply_forwarded(const ForwardedFor& forwarded, protocol::Pairs& params);

}  // namespace viaduct::daemon::bridge
