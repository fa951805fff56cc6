#include "daemon/bridge/dispatch/route_table.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace viaduct::daemon::bridge {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t conditions(const Route& route) {
  return (route.methods.empty() ? 0u : 1u) + (route.variable.empty() ? 0u : 1u) +
         (route.value ? 1u : 0u);
}

bool before(const Route& a, const Route& b) {
  const auto rank = [](const Route& route) {
    return std::tuple(route.path.size(), route.exact, conditions(route));
  };
  return rank(a) > rank(b);
}

bool takes_path(const Route& route, std::string_view path) {
  if (route.exact) return path == route.path;
  if (route.path == "/") return true;
  if (!path.starts_with(route.path)) return false;
  return path.size() == route.path.size() || path[route.path.size()] == '/';
}

bool takes_method(const Route& route, std::string_view method) {
  return std::any_of(route.methods.begin(), route.methods.end(), [&](const std::string& allowed) {
    return method == allowed || (method == "HEAD" && allowed == "GET");
  });
}

bool takes(const Route& route, std::string_view path, const protocol::Pairs& params) {
  if (!takes_path(route, path)) return false;
  if (!route.methods.empty() && !takes_method(route, params.get("REQUEST_METHOD").value_or(""))) {
    return false;
  }
  if (route.variable.empty()) return true;
  const auto value = params.get(route.variable);
  return value && (!route.value || *value == *route.value);
}

}  // namespace

RouteTable::RouteTable(std::vector<Route> routes) {
  takes_all_ = routes.size() == 1 && routes.front().path == "/" && !routes.front().exact &&
               routes.front().host.empty() && conditions(routes.front()) == 0;
  std::stable_sort(routes.begin(), routes.end(), before);
  for (Route& route : routes) {
    const std::string host = route.host;
    Group& group = host.empty()             ? any_
                   : host.starts_with("*.") ? suffixes_[host.substr(1)]
                                            : hosts_[host];
    group.push_back(std::move(route));
  }
}

const Route* RouteTable::find(const protocol::Pairs& params) const {
  if (takes_all_) return &any_.front();
  const std::string path = request_path(params);
  if (!hosts_.empty() || !suffixes_.empty()) {
    if (const Route* const route = find_by_host(params, path)) return route;
  }
  return first_of(any_, path, params);
}

const Route* RouteTable::find_by_host(const protocol::Pairs& params, std::string_view path) const {
  const std::string host = request_host(params);
  if (const auto found = hosts_.find(host); found != hosts_.end()) {
    if (const Route* const route = first_of(found->second, path, params)) return route;
  }
  for (std::size_t dot = host.find('.', 1); dot != host.npos; dot = host.find('.', dot + 1)) {
    const auto found = suffixes_.find(std::string_view(host).substr(dot));
    if (found == suffixes_.end()) continue;
    if (const Route* const route = first_of(found->second, path, params)) return route;
  }
  return nullptr;
}

const Route* RouteTable::first_of(const Group& group, std::string_view path,
                                  const protocol::Pairs& params) {
  const auto found = std::find_if(group.begin(), group.end(),
                                  [&](const Route& route) { return takes(route, path, params); });
  return found == group.end() ? nullptr : &*found;
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

std::string request_host(const protocol::Pairs& params) {
  std::string_view name = params.get("HTTP_HOST").value_or("");
  if (name.empty()) name = params.get("SERVER_NAME").value_or("");
  const std::size_t bracket = name.starts_with('[') ? name.find(']') : name.npos;
  name = bracket == name.npos ? name.substr(0, name.find(':')) : name.substr(0, bracket + 1);
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string host(name);
  std::transform(host.begin(), host.end(), host.begin(), lower);
  return host;
}

void apply_mount(const Route& route, protocol::Pairs& params) {
  if (!route.mount) return;
  const std::string path = request_path(params);
  const std::string_view prefix = route.path == "/" ? std::string_view() : route.path;
  params.set("SCRIPT_NAME", prefix);
  params.set("PATH_INFO", std::string_view(path).substr(std::min(path.size(), prefix.size())));
}

}  // namespace viaduct::daemon::bridge
