// Tables of mistakes: every one is the only one in its file, and its message is given whole.
#pragma once

#include <string>
#include <vector>

namespace viaduct::daemon::config {

struct Mistake {
  std::string yaml;
  std::string message;
};

/// Loads each between `before` and `after`.
void expect_each(const std::vector<Mistake>& mistakes, const std::string& before,
                 const std::string& after);

inline const std::string kShop = "apps: {shop: {command: [/srv/shop/bin/shop], user: shop}}\n";
inline const std::string kListener = "listeners: [{address: unix:/run/web.sock, app: shop}]\n";

}  // namespace viaduct::daemon::config
