#include "sdk/src/route_tree.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "sdk/src/chars.hpp"
#include "sdk/src/percent.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::size_t kEnd = std::string_view::npos;

bool is_number(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

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

std::uint32_t RouteTree::child(std::uint32_t parent, std::string_view segment,
                               std::vector<std::string>& names, bool& tail) {
  const auto fresh = [this](std::uint32_t known) {
    if (known != 0) return known;
    nodes_.emplace_back();
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  };
  if (!segment.starts_with('{')) {
    if (segment.find_first_of("{}") != kEnd) {
      throw malformed(segment, "a capture is a whole segment");
    }
    for (const auto& [text, node] : nodes_[parent].text) {
      if (text == segment) return node;
    }
    const std::uint32_t node = fresh(0);
    nodes_[parent].text.emplace_back(segment, node);
    return node;
  }
  if (!segment.ends_with('}')) throw malformed(segment, "a capture is a whole segment");
  const std::string_view inside = segment.substr(1, segment.size() - 2);
  const std::size_t colon = inside.find(':');
  const std::string name(inside.substr(0, colon));
  const std::string_view type = colon == kEnd ? std::string_view() : inside.substr(colon + 1);
  if (!is_token(name)) throw malformed(segment, "a capture needs a name");
  if (std::find(names.begin(), names.end(), name) != names.end()) {
    throw malformed(segment, "the name of this capture stands twice");
  }
  names.push_back(name);
  std::uint32_t Node::*slot = nullptr;
  if (colon == kEnd) {
    slot = &Node::any;
  } else if (type == "int") {
    slot = &Node::number;
  } else if (type == "path") {
    slot = &Node::tail;
    tail = true;
  } else {
    throw malformed(segment, "the type of a capture is int or path");
  }
  const std::uint32_t node = fresh(nodes_[parent].*slot);
  nodes_[parent].*slot = node;
  return node;
}

void RouteTree::add(std::string_view methods, std::string_view pattern, Handler handler) {
  const std::vector<std::string> list = split_methods(methods);
  const std::string where = "route " + std::string(pattern) + ": ";
  if (!pattern.starts_with('/')) throw std::invalid_argument(where + "does not begin with '/'");
  if (!handler) throw std::invalid_argument(where + "has no handler");

  std::vector<std::string> names;
  std::uint32_t node = 0;
  for (std::size_t at = 1; at != kEnd;) {
    const std::size_t slash = pattern.find('/', at);
    const std::string_view segment = pattern.substr(at, slash == kEnd ? kEnd : slash - at);
    at = slash == kEnd ? kEnd : slash + 1;
    bool tail = false;
    try {
      node = child(node, segment, names, tail);
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(where + error.what());
    }
    if (tail && at != kEnd) throw std::invalid_argument(where + "a path capture stands last");
  }
  for (const std::string& method : list) {
    for (const Endpoint& known : nodes_[node].endpoints) {
      if (known.method == method) throw std::logic_error(where + method + " has a handler already");
    }
    nodes_[node].endpoints.push_back({method, handler, names});
  }
}

bool RouteTree::finish(const Node& node, Search& search) {
  const auto find = [&](std::string_view method) {
    const auto found = std::find_if(node.endpoints.begin(), node.endpoints.end(),
                                    [&](const Endpoint& e) { return e.method == method; });
    if (found == node.endpoints.end()) return false;
    search.match.handler = &found->handler;
    search.match.names = &found->names;
    return true;
  };
  if (find(search.method) || (search.method == "HEAD" && find("GET"))) return true;
  for (const Endpoint& endpoint : node.endpoints) {
    search.match.allowed.push_back(endpoint.method);
    if (endpoint.method == "GET") search.match.allowed.emplace_back("HEAD");
  }
  return false;
}

bool RouteTree::visit_capture(std::uint32_t node, std::string_view value, std::size_t next,
                              Search& search) const {
  search.values.emplace_back(value);
  if (visit(node, next, search)) return true;
  search.values.pop_back();
  return false;
}

// `at` is where the next segment begins, kEnd behind the last one.
bool RouteTree::visit(std::uint32_t index, std::size_t at, Search& search) const {
  const Node& node = nodes_[index];
  if (at == kEnd) return finish(node, search);
  const std::size_t slash = search.path.find('/', at);
  const std::size_t next = slash == kEnd ? kEnd : slash + 1;
  std::string_view segment = search.path.substr(at, slash == kEnd ? kEnd : slash - at);
  std::string decoded;
  if (segment.find('%') != kEnd) {
    if (!percent_decode(segment, decoded)) {
      search.match.malformed = true;
      return false;
    }
    segment = decoded;
  }
  for (const auto& [text, child_index] : node.text) {
    if (text == segment && visit(child_index, next, search)) return true;
  }
  if (node.number != 0 && is_number(segment) && visit_capture(node.number, segment, next, search)) {
    return true;
  }
  if (node.any != 0 && !segment.empty() && visit_capture(node.any, segment, next, search)) {
    return true;
  }
  if (node.tail == 0) return false;
  std::string rest;
  if (!percent_decode(search.path.substr(at), rest)) {
    search.match.malformed = true;
    return false;
  }
  return visit_capture(node.tail, rest, kEnd, search);
}

RouteTree::Match RouteTree::match(std::string_view method, std::string_view raw_path,
                                  std::vector<std::string>& values) const {
  values.clear();
  Search search{method, raw_path, values, {}};
  if (raw_path.starts_with('/') && visit(0, 1, search)) {
    search.match.allowed.clear();
    return std::move(search.match);
  }
  auto& allowed = search.match.allowed;
  std::sort(allowed.begin(), allowed.end());
  allowed.erase(std::unique(allowed.begin(), allowed.end()), allowed.end());
  return std::move(search.match);
}

}  // namespace detail

Router::Router() : routes_(std::make_unique<detail::RouteTree>()) {}
Router::Router(const Router& other)
    : routes_(std::make_unique<detail::RouteTree>(*other.routes_)) {}
Router::Router(Router&& other) noexcept = default;
Router& Router::operator=(const Router& other) {
  if (this != &other) routes_ = std::make_unique<detail::RouteTree>(*other.routes_);
  return *this;
}
Router& Router::operator=(Router&& other) noexcept = default;
Router::~Router() = default;

Router& Router::route(std::string_view methods, std::string_view pattern, Handler handler) {
  routes_->add(methods, pattern, std::move(handler));
  return *this;
}

Router& Router::get(std::string_view pattern, Handler handler) {
  return route("GET", pattern, std::move(handler));
}
Router& Router::post(std::string_view pattern, Handler handler) {
  return route("POST", pattern, std::move(handler));
}
Router& Router::put(std::string_view pattern, Handler handler) {
  return route("PUT", pattern, std::move(handler));
}
Router& Router::patch(std::string_view pattern, Handler handler) {
  return route("PATCH", pattern, std::move(handler));
}
Router& Router::del(std::string_view pattern, Handler handler) {
  return route("DELETE", pattern, std::move(handler));
}

}  // namespace v1
}  // namespace viaduct
