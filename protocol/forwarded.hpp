#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/pairs.hpp"
#include "protocol/peer_rule.hpp"

namespace viaduct::protocol {

/// Where a server learns of the client behind a proxy.
enum class ForwardedSource : std::uint8_t {
  none,             ///< nothing is believed
  pass,             ///< nothing is believed, and the fields reach the application
  x_forwarded_for,  ///< X-Forwarded-For, and -Host, -Proto and -Port as far as they are opted in
  forwarded,        ///< Forwarded (RFC 7239), and its host= and proto= as far as they are opted in
};

/// The one source of a listener.
struct ForwardedOptions {
  ForwardedSource source = ForwardedSource::none;
  bool host = false;   ///< the host is believed, too
  bool proto = false;  ///< the scheme
  bool port = false;   ///< the port; x_forwarded_for only: Forwarded has it in host=

  bool operator==(const ForwardedOptions&) const = default;
};

/// Whether the source names a client, so that it matters who is trusted.
[[nodiscard]] constexpr bool names_client(ForwardedSource source) {
  return source == ForwardedSource::x_forwarded_for || source == ForwardedSource::forwarded;
}

/// What the believed fields of a request say. Empty: nothing.
struct ForwardedFor {
  std::string address = {};    ///< of the client, without brackets and port
  std::string scheme = {};     ///< "http" or "https"
  std::string host = {};       ///< what Host was at first
  std::string port = {};       ///< on which the client was served
  bool contradictory = false;  ///< a list of schemes, hosts or ports fits no list of addresses

  bool operator==(const ForwardedFor&) const = default;
};

/// Proxies of a list, from the right, that are looked at.
inline constexpr std::size_t kMaxHops = 32;

/// Reads the fields of a request that came from a trusted peer.
///
/// Every proxy appends whom it was connected by, so the client is the last address that no network
/// of `trusted` contains; or the farthest of kMaxHops when all are trusted. Addresses before one
/// that is unknown, obfuscated or malformed are not believed.
///
/// Each element of Forwarded has a scheme and host of its own. X-Forwarded-Proto, -Host and -Port
/// count as the client's when they have one value; with as many as there are addresses the client's
/// place holds it; any other number is contradictory, and believed nothing of. Empty elements do
/// not count. Time is linear in the fields.
[[nodiscard]] ForwardedFor read_forwarded(const ForwardedOptions& options,
                                          const std::vector<PeerRule>& trusted,
                                          const Pairs& params);

/// Puts that into the variables: REMOTE_ADDR (REMOTE_PORT, which then is not known, is dropped),
/// REQUEST_SCHEME and HTTPS, HTTP_HOST and SERVER_NAME, SERVER_PORT.
void apply_forwarded(const ForwardedFor& forwarded, Pairs& params);

/// Whether it is the variable of a field that erase_forwarded() removes.
[[nodiscard]] bool is_forwarded(std::string_view variable);

/// Removes the variables of Forwarded, X-Forwarded-{For,Proto,Host,Port,Server,By,Scheme,Ssl},
/// X-Real-IP and Front-End-Https, however a client spelled the fields.
void erase_forwarded(Pairs& params);

/// All of the above: makes the variables say the truth about the client, as far as the options
/// allow. `trusted_peer`: whether `trusted` names the connection's peer. A front server that says
/// REMOTE_ADDR itself is one more hop: that address must be trusted as well. Returns whether
/// something contradictory was left out.
bool settle_client(const ForwardedOptions& options, const std::vector<PeerRule>& trusted,
                   bool trusted_peer, Pairs& params);

}  // namespace viaduct::protocol
