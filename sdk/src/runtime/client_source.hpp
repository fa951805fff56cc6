#pragma once

#include <string>
#include <vector>

#include "protocol/forwarded.hpp"
#include "protocol/pairs.hpp"
#include "protocol/peer_rule.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Options of the command line about proxies in front of `--http`, as they were given.
struct ClientSourceWords {
  std::string trusted = {};    ///< rules, separated by commas; "": nobody
  std::string forwarded = {};  ///< x-forwarded-for, forwarded, none; "": not given
  bool host = false;
  bool proto = false;
  bool port = false;
};

/// How the server learns of the client of a request over HTTP: from the connection alone, or from
/// one field of proxies that are trusted. The rules are those of viaductd (protocol/forwarded.hpp).
/// Threads may share one that does not change.
class ClientSource {
 public:
  /// Believes nothing.
  ClientSource() = default;
  /// Throws std::invalid_argument that names the option and says what was expected.
  explicit ClientSource(const ClientSourceWords& words);

  /// Whether the peer of that connected socket is trusted.
  [[nodiscard]] bool trusts(int fd) const;
  /// Makes the variables of a request say who the client is, and removes the fields in which it
  /// could have claimed to be somebody else. Returns whether something contradictory was left out.
  [[nodiscard]] bool settle(bool trusted_peer, protocol::Pairs& params) const {
    return protocol::settle_client(options_, trusted_, trusted_peer, params);
  }

 private:
  protocol::ForwardedOptions options_;
  std::vector<protocol::PeerRule> trusted_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
