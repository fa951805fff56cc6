#include "sdk/src/route_tree.hpp"

#include <algorithm>
#include <stdexcept>

#include "sdk/src/chars.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::size_t kEnd = std::string_view::npos;

std::vector<std::string> split_methods(std::string_view methods) {
  std::vector<std::string> list;
  while (true) {
    const std::size_t comma = methods.find(',');
    std::string_view method = methods.substr(0, comma);
    while (method.starts_with(' ')) method.remove_prefix(1);
    while (method.ends_with(' ')) method.remove_suffix(1);
    if (!is_token(method)) {
      throw std::invalid_argument("\"" + std::string(method) + "\" is not a request method");
    }
    list.emplace_back(method);
    if (comma == kEnd) return list;
    methods.remove_prefix(comma + 1);
  }
}

std::invalid_argument malformed(std::string_view segment, const char* why) {
  return std::invalid_argument("\"" + std::string(segment) + "\": " + why);
}

}  // namespace

// Moves `at` to the child that `segment` of a pattern names, which is made when it is not there.
void RouteTree::enter(Location& at, std::string_view segment) {
  const auto fresh = [this](std::uint32_t known) {
    if (known != 0) return known;
    nodes_.emplace_back();
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  };
  if (!segment.starts_with('{')) {
    if (segment.find_first_of("{}") != kEnd) {
      throw malformed(segment, "a capture is a whole segment");
    }
    const auto known = nodes_[at.node].text.find(segment);
    if (known != nodes_[at.node].text.end()) {
      at.node = known->second;
      return;
    }
    const std::uint32_t node = fresh(0);
    nodes_[at.node].text.emplace(segment, node);
    at.node = node;
    return;
  }
  if (!segment.ends_with('}')) throw malformed(segment, "a capture is a whole segment");
  const std::string_view inside = segment.substr(1, segment.size() - 2);
  const std::size_t colon = inside.find(':');
  const std::string name(inside.substr(0, colon));
  const std::string_view type = colon == kEnd ? std::string_view() : inside.substr(colon + 1);
  if (!is_token(name)) throw malformed(segment, "a capture needs a name");
  if (std::find(at.names.begin(), at.names.end(), name) != at.names.end()) {
    throw malformed(segment, "the name of this capture stands twice");
  }
  at.names.push_back(name);
  std::uint32_t Node::*slot = nullptr;
  if (colon == kEnd) {
    slot = &Node::any;
  } else if (type == "int") {
    slot = &Node::number;
  } else if (type == "path") {
    slot = &Node::tail;
    at.tail = true;
  } else {
    throw malformed(segment, "the type of a capture is int or path");
  }
  const std::uint32_t node = fresh(nodes_[at.node].*slot);
  nodes_[at.node].*slot = node;
  at.node = node;
}

RouteTree::Location RouteTree::locate(std::string_view pattern) {
  const std::string where = "route " + std::string(pattern) + ": ";
  if (!pattern.starts_with('/')) throw std::invalid_argument(where + "does not begin with '/'");
  Location location;
  for (std::size_t at = 1; at != kEnd;) {
    const std::size_t slash = pattern.find('/', at);
    const std::string_view segment = pattern.substr(at, slash == kEnd ? kEnd : slash - at);
    at = slash == kEnd ? kEnd : slash + 1;
    try {
      enter(location, segment);
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(where + error.what());
    }
    ++location.depth;
    if (location.tail && at != kEnd) {
      throw std::invalid_argument(where + "a path capture stands last");
    }
  }
  return location;
}

void RouteTree::add_endpoint(std::uint32_t node, Endpoint endpoint) {
  for (const Endpoint& known : nodes_[node].endpoints) {
    if (known.method != endpoint.method) continue;
    conflicts_.push_back("routes " + known.method + ' ' + known.pattern + " and " +
                         endpoint.method + ' ' + endpoint.pattern + " fit the same requests");
    return;
  }
  nodes_[node].endpoints.push_back(std::move(endpoint));
}

void RouteTree::add(std::string_view methods, std::string_view pattern, Handler handler) {
  const std::vector<std::string> list = split_methods(methods);
  if (!handler) {
    throw std::invalid_argument("route " + std::string(pattern) + ": has no handler");
  }
  const Location at = locate(pattern);
  for (const std::string& method : list) {
    add_endpoint(at.node, {method, std::string(pattern), handler, at.names, 0});
  }
}

void RouteTree::mount(std::string_view prefix, const RouteTree& other) {
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  const std::string front(prefix);
  const Location at = prefix.empty() ? Location() : locate(prefix);
  if (at.tail) {
    throw std::invalid_argument("route " + front + ": a path capture leaves nothing to mount");
  }
  const auto first = static_cast<ScopeId>(scopes_.size());
  for (std::size_t id = 0; id < other.scopes_.size(); ++id) {
    const Scope& scope = other.scopes_[id];
    scopes_.push_back(
        {id == 0 ? 0 : scope.parent + first, scope.depth + at.depth, scope.middleware});
  }
  mark(front, first);
  for (const auto& [below, id] : other.mounts_) mark(front + below, id + first);
  for (const Node& node : other.nodes_) {
    for (const Endpoint& endpoint : node.endpoints) {
      Endpoint copy = endpoint;
      copy.pattern = front + endpoint.pattern;
      copy.scope = endpoint.scope + first;
      Location location = locate(copy.pattern);
      copy.names = std::move(location.names);
      add_endpoint(location.node, std::move(copy));
    }
  }
  for (const std::string& conflict : other.conflicts_) {
    conflicts_.push_back(front.empty() ? conflict : "mounted at " + front + ": " + conflict);
  }
}

// Notes where a mounted router begins. Of several at the same place the first one stays.
void RouteTree::mark(const std::string& prefix, ScopeId id) {
  ScopeId& mounted = nodes_[prefix.empty() ? 0 : locate(prefix).node].mounted;
  if (mounted == 0) mounted = id;
  mounts_.emplace_back(prefix, id);
}

void RouteTree::use(Middleware middleware) {
  if (!middleware) throw std::invalid_argument("use: the middleware is empty");
  scopes_.front().middleware.push_back(std::move(middleware));
}

void require_distinct_routes(const Router& router) {
  const std::vector<std::string>& conflicts = RouterAccess::routes(router).conflicts();
  if (conflicts.empty()) return;
  std::string text = conflicts.front();
  for (std::size_t i = 1; i < conflicts.size(); ++i) text += "; " + conflicts[i];
  throw std::logic_error(text);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
