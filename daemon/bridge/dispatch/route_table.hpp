#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/pairs.hpp"

namespace viaduct::daemon::bridge {

/// Where requests go that meet all of its conditions.
struct Route {
  std::string host{};      ///< in lower case: a name, "*.suffix", or "" for any
  std::string path = "/";  ///< "/" or a prefix without a final slash; a whole path when `exact`
  bool exact = false;      ///< the path has to be that one, not to lie below it
  std::vector<std::string> methods{};  ///< one of these; GET stands for HEAD too; empty: any
  std::string variable{};              ///< the request has to have this CGI variable; "": none
  std::optional<std::string> value{};  ///< and with this value
  bool mount = false;                  ///< move the prefix from PATH_INFO into SCRIPT_NAME
  std::uint32_t app = 0;               ///< index in the bridge's settings
  std::uint32_t lane = 0;              ///< among those of the app
};

/// The routes of one listener. Tried are first those of the host itself, then those of its
/// suffixes, the longest first, then those of any host; among these the longest path first, an
/// exact one before a prefix, one with more conditions before one with fewer, and else in the order
/// given. A prefix matches whole segments: "/blog" takes "/blog" and "/blog/1", never "/blogger".
class RouteTable {
 public:
  explicit RouteTable(std::vector<Route> routes);

  /// The route for a request, or nullptr. The host is taken from HTTP_HOST, else from SERVER_NAME;
  /// the path from SCRIPT_NAME and PATH_INFO, and where a front server sends neither, from
  /// DOCUMENT_URI, else from REQUEST_URI.
  [[nodiscard]] const Route* find(const protocol::Pairs& params) const;

 private:
  using Group = std::vector<Route>;  // of one host, in the order in which they are tried
  using Groups = std::map<std::string, Group, std::less<>>;

  static const Route* first_of(const Group& group, std::string_view path,
                               const protocol::Pairs& params);
  [[nodiscard]] const Route* find_by_host(const protocol::Pairs& params,
                                          std::string_view path) const;

  Groups hosts_;
  Groups suffixes_;  // by what follows the asterisk: ".example.org"
  Group any_;
  bool takes_all_ = false;  // there is one route, and it has no conditions
};

/// The decoded path of a request as its front server described it, prefix included.
std::string request_path(const protocol::Pairs& params);

/// The host that a request is for: in lower case, without port and final dot.
std::string request_host(const protocol::Pairs& params);

/// Splits the path after the route's prefix: SCRIPT_NAME becomes the prefix, PATH_INFO the rest
/// (RFC 3875 sections 4.1.13 and 4.1.5); that of "/" is empty. Does nothing for a route that does
/// not mount.
void apply_mount(const Route& route, protocol::Pairs& params);

}  // namespace viaduct::daemon::bridge
