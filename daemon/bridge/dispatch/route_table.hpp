#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/pairs.hpp"

namespace viaduct::daemon::bridge {

/// Where requests of one path prefix go.
struct Route {
  std::string path;        ///< "/" or a prefix without a final slash
  bool mount = false;      ///< move the prefix from PATH_INFO into SCRIPT_NAME
  std::uint32_t app = 0;   ///< index in the bridge's settings
  std::uint32_t lane = 0;  ///< among those of the app
};

/// The routes of one listener. A prefix matches whole segments: "/blog" takes "/blog" and
/// "/blog/1", never "/blogger"; the longest wins.
class RouteTable {
 public:
  explicit RouteTable(std::vector<Route> routes);

  /// The route for a request, or nullptr. The path is taken from SCRIPT_NAME and PATH_INFO; where a
  /// front server sends neither, from DOCUMENT_URI, else from REQUEST_URI.
  [[nodiscard]] const Route* find(const protocol::Pairs& params) const;

  /// The route for a path.
  [[nodiscard]] const Route* match(std::string_view path) const;

 private:
  std::vector<Route> routes_;  // longest path first
};

/// The decoded path of a request as its front server described it, prefix included.
std::string request_path(const protocol::Pairs& params);

/// Splits the path after the route's prefix: SCRIPT_NAME becomes the prefix, PATH_INFO the rest
/// (RFC 3875 sections 4.1.13 and 4.1.5). Does nothing for a route that does not mount.
void apply_mount(const Route& route, protocol::Pairs& params);

}  // namespace viaduct::daemon::bridge
