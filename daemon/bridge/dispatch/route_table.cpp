#include "daemon/bridge/dispatch/route_table.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::daemon::bridge {

RouteTable::RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {
  std::stable_sort(routes_.begin(), routes_.end(),
                   [](const Route& a, const Route& b) { return a.path.size() > b.path.size(); });
}

const Route* RouteTable::find(const protocol::Pairs& params) const {
  if (routes_.size() == 1 && routes_.front().path == "/") return &routes_.front();
  return match(request_path(params));
}

const Route* RouteTable::match(std::string_view path) const {
  for (const Route& route : routes_) {
    if (route.path == "/") return &route;
    if (!path.starts_with(route.path)) continue;
    if (path.size() == route.path.size() || path[route.path.size()] == '/') return &route;
  }
  return nullptr;
}

std::string request_path(const protocol::Pairs& params) {
  std::string path(params.get("SCRIPT_NAME").value_or(""));
  path += params.get("PATH_INFO").value_or("");
  if (path.empty()) path = params.get("DOCUMENT_URI").value_or("");
  if (path.empty()) {
    const std::string_view target = params.get("REQUEST_URI").value_or("");
    path = target.substr(0, target.find('?'));
  }
  return path;
}

void apply_mount(const Route& route, protocol::Pairs& params) {
  if (!route.mount || route.path == "/") return;
  const std::string path = request_path(params);
  params.set("SCRIPT_NAME", route.path);
  params.set("PATH_INFO", std::string_view(path).substr(std::min(path.size(), route.path.size())));
}

}  // namespace viaduct::daemon::bridge
